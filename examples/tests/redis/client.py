"""Drives a server with the package `redis`, as its users do. Arguments: port, and "alone" if the
server serves one client at a time."""

import sys

import redis

port, alone = int(sys.argv[1]), sys.argv[2:] == ["alone"]
r = redis.Redis(port=port, socket_timeout=20)
assert r.ping()
r.flushall()

assert r.set("a", b"\0\xff\r\n") and r.get("a") == b"\0\xff\r\n"
assert r.set("a", "2", nx=True) is None
assert r.set("a", "1", xx=True, ex=100, get=True) == b"\0\xff\r\n"
assert 98 <= r.ttl("a") <= 100 and r.persist("a") and r.ttl("a") == -1
assert [r.incr("n"), r.incrby("n", 10), r.decr("n")] == [1, 11, 10]
assert r.append("n", "0") == 3 and r.strlen("n") == 3
assert r.mset({"x": "1", "y": "2"}) and r.mget("x", "none", "y") == [b"1", None, b"2"]
assert sorted(r.keys("[xy]")) == [b"x", b"y"] and r.exists("x", "y", "z") == 2
assert sorted(r.scan_iter("*")) == [b"a", b"n", b"x", b"y"] and r.dbsize() == 4
assert r.delete("x", "y", "z") == 2 and r.type("a") == b"string"
assert r.pexpire("a", 60_000) and 59_000 < r.pttl("a") <= 60_000
assert r.echo("hello") == b"hello" and r.config_get("databases") == {"databases": "16"}
assert r.client_setname("me") and r.client_getname() in ("me", b"me") and r.client_id() > 0
assert r.info("keyspace")["db0"]["keys"] == 2

try:
    r.incr("a" if not r.set("a", "text") else "a")
    sys.exit("text was incremented")
except redis.ResponseError as error:
    assert "value is not an integer or out of range" in str(error), error

pipeline = r.pipeline(transaction=False)
for n in range(10_000):
    pipeline.set(f"key:{n % 100}", n).get(f"key:{n % 100}")
replies = pipeline.execute()
assert replies == [reply for n in range(10_000) for reply in (True, str(n).encode())]

transaction = r.pipeline(transaction=True)
assert transaction.set("t", 1).incr("t").get("t").execute() == [True, 2, b"2"]

large = bytes(range(256)) * 8192
assert r.set("large", large) and r.get("large") == large

if not alone:
    subscriber = r.pubsub(ignore_subscribe_messages=False)
    subscriber.subscribe("news", "weather")
    seen = [subscriber.get_message(timeout=20) for _ in range(2)]
    assert [(m["type"], m["data"]) for m in seen] == [("subscribe", 1), ("subscribe", 2)], seen
    assert r.publish("nobody", "x") == 0
    for n in range(100):
        assert r.publish("news", f"item {n}") == 1
    for n in range(100):
        message = subscriber.get_message(timeout=20)
        assert (message["type"], message["channel"]) == ("message", b"news"), message
        assert message["data"] == f"item {n}".encode(), message
    subscriber.unsubscribe("news")
    message = subscriber.get_message(timeout=20)
    assert (message["type"], message["data"]) == ("unsubscribe", 1), message
    assert r.publish("news", "x") == 0 and r.publish("weather", "rain") == 1
    assert subscriber.get_message(timeout=20)["data"] == b"rain"
    subscriber.close()

print("fine")

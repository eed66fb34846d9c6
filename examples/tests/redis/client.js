// Drives a server with the package `ioredis`, as its users do. Arguments: port, and "alone" if the
// server serves one client at a time.

const assert = require("node:assert");
const Redis = require("ioredis");

const [port, alone] = [Number(process.argv[2]), process.argv[3] === "alone"];

async function main() {
  const redis = new Redis(port, "127.0.0.1", { connectTimeout: 20000, commandTimeout: 20000 });
  assert.equal(await redis.ping(), "PONG");
  await redis.flushall();

  assert.equal(await redis.set("a", "1", "EX", 100), "OK");
  assert.equal(await redis.set("a", "2", "NX"), null);
  assert.equal(await redis.get("a"), "1");
  assert.equal(await redis.incr("a"), 2);
  assert.ok((await redis.ttl("a")) > 90);
  assert.deepEqual(await redis.mget("a", "none"), ["2", null]);
  const binary = Buffer.from([0, 255, 13, 10]);
  await redis.set("binary", binary);
  assert.ok(binary.equals(await redis.getBuffer("binary")));
  assert.deepEqual((await redis.keys("*")).sort(), ["a", "binary"]);
  const found = [];
  for await (const keys of redis.scanStream({ match: "b*" })) found.push(...keys);
  assert.deepEqual(found, ["binary"]);
  await assert.rejects(redis.incr("binary"), /value is not an integer or out of range/);

  const pipeline = redis.pipeline();
  for (let n = 0; n < 10000; n++) pipeline.set(`key:${n % 100}`, n).get(`key:${n % 100}`);
  const replies = await pipeline.exec();
  assert.equal(replies.length, 20000);
  for (let n = 0; n < 10000; n++) assert.deepEqual(replies[2 * n + 1], [null, String(n)]);

  const transaction = await redis.multi().set("t", 1).incr("t").get("t").exec();
  assert.deepEqual(transaction, [[null, "OK"], [null, 2], [null, "2"]]);

  if (!alone) {
    const subscriber = redis.duplicate();
    const messages = [];
    const all = new Promise((done) => {
      subscriber.on("message", (channel, message) => {
        messages.push([channel, message]);
        if (messages.length === 100) done();
      });
    });
    assert.equal(await subscriber.subscribe("news", "weather"), 2);
    for (let n = 0; n < 100; n++) assert.equal(await redis.publish("news", `item ${n}`), 1);
    await all;
    messages.forEach((message, n) => assert.deepEqual(message, ["news", `item ${n}`]));
    assert.equal(await subscriber.unsubscribe("news"), 1);
    assert.equal(await redis.publish("news", "x"), 0);
    assert.equal(await subscriber.quit(), "OK");
  }
  assert.equal(await redis.quit(), "OK");
  console.log("fine");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

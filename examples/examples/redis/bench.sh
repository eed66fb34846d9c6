#!/usr/bin/env bash
# Requests per second of the server's processor time: this example against redis-server.
#
#   bash examples/examples/redis/bench.sh [ROUNDS] [FLAVOR]
#
# Each server has one core, and redis-benchmark another. Both answer the same load in turn, ROUNDS
# times (5 unless given), and the medians are compared. Processor time is the kernel's count of
# nanoseconds for all threads of the server. Needs Linux, two cores, taskset, redis-server and
# redis-benchmark.
set -euo pipefail
cd "$(dirname "$0")/../../.."

rounds=${1:-5} flavor=${2:-mio}
server_core=0 client_core=1
zen_port=16390 redis_port=16391

cargo build --quiet --release -p examples --example redis
taskset -c $server_core target/release/examples/redis 127.0.0.1:$zen_port --flavor "$flavor" >/dev/null &
zen=$!
taskset -c $server_core redis-server --port $redis_port --bind 127.0.0.1 --save "" --appendonly no >/dev/null &
redis=$!
trap 'kill $zen $redis; wait' EXIT
for port in $zen_port $redis_port; do
    until redis-cli -p $port ping >/dev/null 2>&1; do sleep 0.1; done
done

processor_time() { # nanoseconds of all threads of a process
    local sum=0 thread rest
    while read -r thread rest; do sum=$((sum + thread)); done < <(cat /proc/"$1"/task/*/schedstat)
    echo $sum
}

measure() { # name, process, port, test, depth, requests
    local before after
    before=$(processor_time "$2")
    taskset -c $client_core redis-benchmark -p "$3" -t "$4" -P "$5" -n "$6" -c 50 -q >/dev/null
    after=$(processor_time "$2")
    echo "$1 $4 $5 $(($6 * 1000000000 / (after - before)))"
}

for ((round = 1; round <= rounds; round++)); do
    for load in "1 200000" "16 1000000"; do
        read -r depth requests <<<"$load"
        for test in ping_inline ping_mbulk get set; do
            measure zen $zen $zen_port $test "$depth" "$requests"
            measure redis $redis $redis_port $test "$depth" "$requests"
        done
    done
done | sort -k1,3 -k4n | awk '
    { key = $2 " " $3; count[$1, key]++; value[$1, key, count[$1, key]] = $4; keys[key] = 1 }
    function median(name, key, n) {
        n = count[name, key]
        return (value[name, key, int((n + 1) / 2)] + value[name, key, int(n / 2) + 1]) / 2
    }
    function range(name, key) { return value[name, key, 1] "-" value[name, key, count[name, key]] }
    END {
        printf "%-12s %3s %12s %12s %6s  %s\n", "test", "-P", "zen", "redis", "ratio", "least-most of zen, redis"
        for (key in keys) {
            split(key, part, " ")
            printf "%-12s %3d %12d %12d %6.2f  %s, %s\n", part[1], part[2], median("zen", key), \
                median("redis", key), median("zen", key) / median("redis", key), range("zen", key), range("redis", key)
        }
    }' | sort -k2n -k1,1

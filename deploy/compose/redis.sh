#!/bin/sh
# Starts the server, or a Sentinel, of docker-compose: redis.sh [sentinel|health]
# Settings are written anew at each start, with the password from its secret; who is the master is not: that
# Sentinel decides, and the server keeps it in the file (CONFIG REWRITE).
# REDIS_MAXMEMORY; REDIS_REPLICA_OF=HOST: what the first start is a replica of; SENTINEL_MASTER=HOST.
# Below 1 GiB the file is not written anew: what is in the buffer soon leaves it, and a fork in mid-outage
# would cost processor and memory just then.
set -eu

PASSWORD=$(cat /run/secrets/redis_password)
umask 077

server() {
    file=/data/esteira.conf
    role=
    if [ -e "$file" ]; then
        role=$(grep '^replicaof ' "$file" || :)
    elif [ -n "${REDIS_REPLICA_OF:-}" ]; then
        role="replicaof $REDIS_REPLICA_OF 6379"
    fi
    cat >"$file.new" <<END
dir /data
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
auto-aof-rewrite-min-size 1gb
save ""
maxmemory ${REDIS_MAXMEMORY:-192mb}
maxmemory-policy noeviction
requirepass "$PASSWORD"
masterauth "$PASSWORD"
replica-announce-ip $(hostname)
$role
END
    mv "$file.new" "$file"
    exec valkey-server "$file"
}

sentinel() {
    file=/data/sentinel.conf
    if [ ! -e "$file" ]; then
        cat >"$file" <<END
port 26379
dir /data
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $(hostname)
sentinel monitor esteira $SENTINEL_MASTER 6379 2
sentinel auth-pass esteira $PASSWORD
sentinel down-after-milliseconds esteira 2000
sentinel failover-timeout esteira 10000
END
    fi
    sed -i "s|^sentinel auth-pass esteira .*|sentinel auth-pass esteira $PASSWORD|" "$file"
    exec valkey-server "$file" --sentinel
}

# Says PONG while it serves; a server that still loads its file says so instead.
health() {
    if [ -n "${SENTINEL_MASTER:-}" ]; then
        valkey-cli -p 26379 ping | grep -q PONG
    else
        REDISCLI_AUTH=$PASSWORD valkey-cli ping | grep -q PONG
    fi
}

case ${1:-server} in
    server) server ;;
    sentinel) sentinel ;;
    health) health ;;
    *) exit 64 ;;
esac

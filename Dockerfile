# Esteira: all programs in one image.   docker compose build
#
# Built twice from the same sources with the same Debian packages, the programs are the same byte for byte.
# A fixed Debian: --build-arg DEBIAN=debian:trixie-slim@sha256:…

ARG DEBIAN=debian:trixie-slim

FROM ${DEBIAN} AS build
WORKDIR /src
COPY tools/deps/packages tools/deps/packages
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    $(awk '$1 == "build" && $2 != "libcmocka-dev" { print $2 }' tools/deps/packages) \
 && rm -rf /var/lib/apt/lists/*
COPY . .
# The packages whose libraries the programs ask for, so that none has to be named twice.
RUN cmake -G Ninja -B /build -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF -DCMAKE_SKIP_RPATH=ON \
 && cmake --build /build --target esteira esteira-producer esteira-consumer esteira-dashboard \
 && mkdir -p /out/bin /out/share/esteira /out/share/doc/esteira \
 && for program in /build/bin/esteira*; do strip -o "/out/bin/${program##*/}" "$program"; done \
 && cp -r schemas /out/share/esteira/ && cp LICENSE /out/share/doc/esteira/ \
 && ldd /out/bin/* | awk '$3 ~ /^\// { print $3 }' | sort -u | xargs realpath | xargs dpkg -S \
    | cut -d: -f1 | sort -u > /packages

FROM ${DEBIAN}
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Esteira" \
      org.opencontainers.image.description="Carries the events of WhatsApp bots to a dashboard and never loses one that it accepted" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN --mount=type=bind,from=build,source=/packages,target=/packages apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    ca-certificates tini tzdata $(cat /packages) \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/cache/debconf/*-old /var/log/* \
 && groupadd --system --gid 10001 esteira \
 && useradd --system --uid 10001 --gid esteira --home-dir /var/lib/esteira --shell /usr/sbin/nologin esteira \
 && install -d -o esteira -g esteira -m 750 /var/lib/esteira
COPY --from=build /out/ /usr/
RUN for program in esteira esteira-producer esteira-consumer esteira-dashboard; do $program --version || exit 1; done
COPY pipeline.yaml /etc/esteira/pipeline.yaml
USER esteira
WORKDIR /var/lib/esteira
# tini is process 1: it passes signals on and takes in the orphans of whoever works inside by `exec`.
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["esteira", "--help"]
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["esteira", "health"]

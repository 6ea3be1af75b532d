# A node in a container: `docker build --tag aigen .`, then
#   docker run --publish 8000:8000 --volume aigen:/var/lib/aigen aigen
# It speaks plain HTTP: put TLS in front of it, or mount a certificate and a configuration with [tls].
FROM rust:1.95-bookworm AS build
# What scripts/setup installs, for llama.cpp and its binding.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake clang libclang-dev g++ pkg-config \
    && rm --recursive --force /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN cargo build --locked --release --package aigen

FROM debian:bookworm-slim
# Certificates of those it downloads from and asks; the C++ library, which llama.cpp is written in.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libstdc++6 \
    && rm --recursive --force /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/aigen --create-home aigen
COPY --from=build /build/target/release/aigen /usr/local/bin/aigen
USER aigen
WORKDIR /var/lib/aigen
ENV AIGEN_LISTEN=0.0.0.0:8000 \
    AIGEN_DATA_DIR=/var/lib/aigen/data \
    AIGEN_MODELS_DIR=/var/lib/aigen/models
VOLUME /var/lib/aigen
EXPOSE 8000
# SIGTERM lets running calls finish.
STOPSIGNAL SIGTERM
ENTRYPOINT ["aigen"]
CMD ["serve"]

# A whole node in one container, for several of them: docs/cluster.md. Other nodes reach all of its ports at one address.
# Build context: the repository's root.

FROM python:3.11-slim-bookworm AS build
COPY control/requirements.lock /build/
# As for control alone: see there.
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/* \
    && python -m venv --without-pip /opt/qplus \
    && pip --python /opt/qplus/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /build/requirements.lock \
    && find /opt/qplus/lib -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} +
COPY control /opt/qplus/app/control
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/qplus/app

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="QPlus Live Server: node" \
      org.opencontainers.image.description="Control, guard, rtmp nginx and web nginx under one supervisor." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        nginx libnginx-mod-rtmp libnginx-mod-http-js libnginx-mod-stream libnginx-mod-stream-js \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 qplus \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin qplus \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/qplus /var/lib/qplus/keys /run/qplus /srv/hls
COPY --from=build /opt/qplus /opt/qplus
# control/supervisor/nginx_files is a link to it.
COPY nginx /opt/qplus/app/nginx
ENV PATH=/opt/qplus/bin:$PATH \
    QPLUS_DATA_DIR=/var/lib/qplus \
    QPLUS_SOCKET_DIR=/run/qplus/node \
    QPLUS_HLS_DIR=/srv/hls \
    QPLUS_LOG_FORMAT=json
WORKDIR /opt/qplus/app
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s CMD ["python", "-m", "control", "ready"]
CMD ["sh", "-c", "exec python -m control run 2>&1"]

# Control. Build context: the repository's root.

FROM python:3.11-slim-bookworm AS build
COPY control/requirements.lock /build/
# Wheels only, each as the lock has it, into an environment without pip. Half the weight of what is compiled in them is
# symbols; what stands in *.libs was made for its place and is left alone.
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/* \
    && python -m venv --without-pip /opt/qplus \
    && pip --python /opt/qplus/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /build/requirements.lock \
    && find /opt/qplus/lib -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} +
COPY control /opt/qplus/app/control
# At run time nothing can be written beside the sources.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/qplus/app

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="QPlus Live Server: control" \
      org.opencontainers.image.description="Accounts, rooms, tickets and verdicts for nginx-rtmp." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
# The number is the nginx image's too: they share unix sockets that nobody else may open. A new volume takes over owner
# and mode of the folder it covers.
RUN groupadd --gid 10001 qplus \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin qplus \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/qplus /run/qplus /srv/hls /srv/snapshots
COPY --from=build /opt/qplus /opt/qplus
ENV PATH=/opt/qplus/bin:$PATH \
    QPLUS_DATA_DIR=/var/lib/qplus \
    QPLUS_SOCKET_DIR=/run/qplus \
    QPLUS_HLS_DIR=/srv/hls \
    QPLUS_SNAPSHOT_DIR=/srv/snapshots \
    QPLUS_LOG_FORMAT=json
WORKDIR /opt/qplus/app
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s CMD ["python", "-m", "control", "ready"]
CMD ["sh", "-c", "exec python -m control serve 2>&1"]

# Each nginx, as targets `guard`, `rtmp` and `web`: one that changes must not replace another, and cut its streams.
# Build context: the repository's root.

FROM debian:bookworm-slim AS nginx
RUN apt-get update \
    && apt-get install -y --no-install-recommends nginx libnginx-mod-rtmp curl \
    && rm -rf /var/lib/apt/lists/*
# The number is control's too: see there.
RUN groupadd --gid 10001 qplus \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin qplus \
    && install -d -m 0700 -o 10001 -g 10001 /run/qplus /srv/hls /srv/snapshots
COPY docker/nginx.sh /opt/qplus/
ENV QPLUS_SOCKET_DIR=/run/qplus \
    QPLUS_HLS_DIR=/srv/hls
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/qplus/nginx.sh"]

FROM nginx AS rtmp
LABEL org.opencontainers.image.title="QPlus Live Server: rtmp" \
      org.opencontainers.image.description="Stock nginx with its RTMP module, for publishers and players." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY nginx/rtmp.conf docker/listen.pl /opt/qplus/
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s CMD ["/opt/qplus/nginx.sh", "check", "rtmp"]
CMD ["rtmp"]

FROM nginx AS guard
LABEL org.opencontainers.image.title="QPlus Live Server: guard" \
      org.opencontainers.image.description="Stock nginx in front of the RTMP port: reads what clients say, and ends TLS." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
USER root
RUN apt-get update \
    && apt-get install -y --no-install-recommends libnginx-mod-stream libnginx-mod-stream-js \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
COPY nginx/guard.conf nginx/guard.js /opt/qplus/
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s CMD ["/opt/qplus/nginx.sh", "check", "guard"]
CMD ["guard"]

FROM nginx AS web
LABEL org.opencontainers.image.title="QPlus Live Server: web" \
      org.opencontainers.image.description="Stock nginx for the API, the pages and HLS." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
USER root
RUN apt-get update \
    && apt-get install -y --no-install-recommends libnginx-mod-http-js \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
COPY nginx/web.conf nginx/playlist.js nginx/network.js /opt/qplus/
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s CMD ["/opt/qplus/nginx.sh", "check", "web"]
CMD ["web"]

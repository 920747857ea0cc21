# Stands before the nodes of docker/compose.cluster.yaml. Build context: the repository's root.

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="QPlus Live Server: balancer" \
      org.opencontainers.image.description="Stock HAProxy that spreads RTMP and HTTP over nodes, and ends TLS." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
RUN apt-get update \
    && apt-get install -y --no-install-recommends haproxy curl \
    && rm -rf /var/lib/apt/lists/*
# HAProxy looks for a certificate's key beside it, under the same name and `.key`.
RUN groupadd --gid 10001 qplus \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin qplus \
    && install -d /etc/qplus/tls \
    && ln -s /etc/qplus/tls/chain.pem /etc/haproxy/site.pem \
    && ln -s /etc/qplus/tls/key.pem /etc/haproxy/site.pem.key
COPY docker/balancer.cfg /etc/haproxy/
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s CMD ["curl", "-fsS", "-m", "3", "-o", "/dev/null", "http://127.0.0.1:8404/"]
CMD ["haproxy", "-W", "-db", "-f", "/etc/haproxy/balancer.cfg"]

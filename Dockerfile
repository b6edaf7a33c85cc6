# syntax=docker/dockerfile:1

# A tag moves. A release is built on the digest that it has then (.github/workflows/release.yml); to build by a digest of your own:
#   docker build --build-arg NODE_IMAGE=node@sha256:… .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json openapi.yaml ./
COPY src ./src
COPY scripts ./scripts
COPY examples ./examples
RUN npm run build

FROM ${NODE_IMAGE} AS runtime
WORKDIR /opt/veritee
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && rm package-lock.json .npmrc
# Node, and the libraries that it and the engine of the decision store are linked to, for an image without shell and package manager. The C library finds
# names by nsswitch.conf; certificate authorities are compiled into Node.
RUN mkdir -p /root-fs/etc /root-fs/var/lib/veritee \
 && (ldd /usr/local/bin/node && ldd node_modules/@libsql/*-gnu/index.node) | grep -o '/[^ ]*' | sort -u | xargs cp --parents --dereference --target-directory=/root-fs /usr/local/bin/node \
 && cp /etc/nsswitch.conf /root-fs/etc/ \
 && echo 'nonroot:x:65532:65532:nonroot:/var/lib/veritee:/sbin/nologin' > /root-fs/etc/passwd \
 && echo 'nonroot:x:65532:' > /root-fs/etc/group \
 && chown 65532:65532 /root-fs/var/lib/veritee \
 && chmod 0700 /root-fs/var/lib/veritee

FROM scratch
COPY --from=runtime /root-fs /
COPY --from=runtime /opt/veritee /opt/veritee
COPY --from=build /build/dist /opt/veritee/dist
COPY openapi.yaml LICENSE /opt/veritee/
COPY examples /opt/veritee/examples
ENV NODE_ENV=production
USER 65532:65532
# Relative paths of the configuration start here: ./policies, ./endorsements, ./data.
WORKDIR /var/lib/veritee
VOLUME /var/lib/veritee
EXPOSE 8080
# Plain HTTP on loopback, at the management port where VERITEE__LISTEN__MANAGEMENT__PORT gives one. Ports of the configuration file are
# not known here: with one of those, or with TLS on that port, give a check of your own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.VERITEE__LISTEN__MANAGEMENT__PORT ?? process.env.VERITEE__LISTEN__PORT ?? 8080}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# docs/hardening.md says which options of Node are set, which are not, and why.
ENTRYPOINT ["/usr/local/bin/node", "--disable-proto=delete", "--max-semi-space-size=64", "/opt/veritee/dist/main.js"]
CMD ["serve"]

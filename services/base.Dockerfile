# What every service stands on. The build context holds package.json, node_modules with the production dependencies of all
# services, and services/.
ARG BASE_IMAGE=docker.io/library/node:24-bookworm-slim
FROM ${BASE_IMAGE}
COPY package.json /app/
COPY node_modules /app/node_modules
COPY services/common /app/services/common
# What the services promise each other: a client reads its provider's definition.
COPY services/product-service/proto /app/services/product-service/proto
USER 65532:65532
ENTRYPOINT ["node"]
CMD ["--import", "../common/src/telemetry/telemetry.ts", "src/main.ts"]

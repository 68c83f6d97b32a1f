# The operator. TypeScript runs as it is: Node strips the types.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# client-node (65 MB) reads kubeconfigs and their plug-ins, which only a process outside a cluster has.
RUN npm ci --omit=dev --omit=optional --ignore-scripts \
 && npm pkg delete 'dependencies.@kubernetes/client-node' \
 && npm prune --omit=dev --omit=optional --ignore-scripts \
 && rm -rf node_modules/zod/src package-lock.json .npmrc \
 && find node_modules -type f \( -name '*.d.*ts' -o -name '*.map' -o -name '*.md' \) -delete \
 && find node_modules -type d \( -name test -o -name tests -o -name docs -o -name examples -o -name bench -o -name benchmarks \) -prune -exec rm -rf {} +
COPY . .

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.source=https://github.com/swe-operator/swe-operator \
      org.opencontainers.image.licenses=Apache-2.0
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app /app
USER 65532:65532
EXPOSE 8080 8443
ENTRYPOINT ["node", "controllers/main.ts"]

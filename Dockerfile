# The operator: one file, and what its packages want said of them.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS bundle
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY rolldown.config.ts ./
COPY workloads/swe_workloads/exit_codes.json workloads/swe_workloads/
COPY crds crds
COPY operator operator
COPY controllers controllers
RUN npm run bundle
# Licences, and manifests that tell scanners which version of each package is inside.
RUN npm pkg delete 'dependencies.@kubernetes/client-node' \
 && npm prune --omit=dev --omit=optional \
 && mkdir /third-party \
 && find node_modules -type f \( -name package.json -o -iname 'licen[cs]e*' -o -iname 'notice*' \) -exec cp --parents '{}' /third-party ';'

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.source=https://github.com/swe-operator/swe-operator \
      org.opencontainers.image.licenses=Apache-2.0
WORKDIR /app
COPY LICENSE ./
COPY --from=bundle /third-party third-party
COPY --from=bundle /app/bundle ./
ENV NODE_ENV=production
USER 65532:65532
# Without a configuration the operator loads all of itself and says so: the build fails if anything is missing.
RUN SWE_OPERATOR_CONFIG=/none node operator.mjs | grep 'The configuration /none cannot be read'
EXPOSE 8080 8443
# Each thread would keep freed memory for itself: a sixth of all, and nearly all work is done by one.
ENV MALLOC_ARENA_MAX=1
# Left to itself V8 lets garbage pile up to twice what is in use: half the memory for a few percent of CPU time.
ENTRYPOINT ["node", "--max-semi-space-size=2", "--heap-growing-percent=15", "operator.mjs"]

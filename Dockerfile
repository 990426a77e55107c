# The image of Slipstream: router, worker agent, operator and tools are one program in it, told apart by the first argument.
#   docker build -t slipstream:0.1.0 .        (podman and buildah build it too)
# Any base with Node 24, npm in it, and glibc will do.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# What the lockfile names and nothing else; no script of a package runs (.npmrc). A registry of one's own comes as a secret and stays none of the image.
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca,target=/run/secrets/ca.crt npm ci --no-progress
COPY . .
# sbom.cdx.json says what is in it, in CycloneDX, by the lockfile that it was installed from; without the serial number and the time
# that npm gives each, and without the build's mark of its sources' times, so that an image built again is the same.
RUN node bin/build.js \
 && npm prune --omit=dev --no-progress \
 && npm sbom --sbom-format cyclonedx --omit dev --package-lock-only > sbom.json \
 && node -e 'const { serialNumber, metadata: { timestamp, ...metadata }, ...bill } = require("./sbom.json"); console.log(JSON.stringify({ ...bill, metadata }, null, 1))' > sbom.cdx.json \
 && mkdir /app \
 && mv bin dist models node_modules package.json LICENSE sbom.cdx.json /app/ \
 && find /app/dist /app/node_modules -name '*.map' -delete \
 && rm -rf /app/models/train /app/node_modules/.cache /app/dist/.stamp

FROM ${NODE_IMAGE}
ENV NODE_ENV=production NO_UPDATE_NOTIFIER=1
COPY --from=build /app /app
# Of no user in any image, so that files are readable and nothing but /tmp is written to: the root may be read-only.
USER 10001:10001
WORKDIR /tmp
EXPOSE 7411 7412 7413 7421 7423 7433
ENTRYPOINT ["node", "/app/bin/slipstream.js"]
CMD ["--help"]

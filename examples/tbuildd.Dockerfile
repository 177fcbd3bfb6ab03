# tbuildd in an image, from a checkout in which scripts/setup.sh has run. BASE has Node.js 20 or newer, and Debian's packages
# unless it has what is installed below:
#
#   bin/tbuild -f examples/tbuildd.Dockerfile -t tbuildd .
#   docker run -d --privileged -v tbuild:/var/lib/tbuild -v /run/tbuild:/run/tbuild tbuildd
#
# Without --privileged it answers, but can neither mount overlays nor run steps.
ARG BASE=docker.io/library/node:20-bookworm-slim
FROM ${BASE}
RUN <<EOT
set -e
missing=""
command -v runc >/dev/null || missing="$missing runc"
command -v git >/dev/null || missing="$missing git"
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
[ -n "$missing" ] || exit 0
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
rm -rf /var/lib/apt/lists/*
EOT
WORKDIR /opt/tbuild
COPY node_modules node_modules
COPY dist/bundle dist/bundle
COPY package.json ./
COPY bin bin
VOLUME /var/lib/tbuild
ENTRYPOINT ["/opt/tbuild/bin/tbuildd"]
CMD ["--root", "/var/lib/tbuild", "--addr", "unix:///run/tbuild/tbuildd.sock"]

#!/bin/sh
# Makes dist/: the program, a Debian package and an OCI image. `make dist` calls it after the build.
set -eu
cd "$(dirname "$0")/.."
version=${VERSION:-0.$(git log -1 --format=%cd --date=format:%Y%m%d.%H%M%S)}
arch=$(go env GOARCH)
rm -rf dist && mkdir -p dist
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o dist/kurama ./cmd/kurama

root=$work/deb
install -D -m 755 dist/kurama "$root/usr/bin/kurama"
install -D -m 644 packaging/kurama.service "$root/lib/systemd/system/kurama.service"
install -D -m 644 kuramaconfig.yaml "$root/etc/kurama/kuramaconfig.yaml"
for file in README.md docs/*.md packaging/grafana.json; do install -D -m 644 "$file" "$root/usr/share/doc/kurama/$(basename "$file")"; done
for shell in bash zsh fish; do
	case $shell in bash) to=share/bash-completion/completions/kurama ;; zsh) to=share/zsh/vendor-completions/_kurama ;; fish) to=share/fish/vendor_completions.d/kurama.fish ;; esac
	mkdir -p "$root/usr/$(dirname $to)" && dist/kurama completion $shell > "$root/usr/$to"
done
mkdir -p "$root/DEBIAN"
echo /etc/kurama/kuramaconfig.yaml > "$root/DEBIAN/conffiles"
cat > "$root/DEBIAN/control" <<END
Package: kurama
Version: $version
Architecture: $arch
Maintainer: Kurama <kurama@localhost>
Installed-Size: $(du -sk "$root" | cut -f1)
Depends: postgresql, docker.io | docker-ce, iptables, e2fsprogs, mount
Recommends: mmdebstrap, git
Section: admin
Priority: optional
Description: home for Flask apps, with log profiling built in
 A multi-tenant platform for Flask apps: upload a folder, get an address,
 see each request, scale by load and latency.
END
cat > "$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	if [ -n "$2" ]; then systemctl try-restart kurama.service # an upgrade: the schema is brought up to date, apps go on
	else echo "Start it with: systemctl enable --now kurama"; fi
fi
END
cat > "$root/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now kurama.service || true; fi
END
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm"
dpkg-deb --build --root-owner-group -Zxz "$root" "dist/kurama_${version}_$arch.deb" > /dev/null

# The program alone: for the command line in CI, and for single roles beside an external database and stream.
go run ./packaging/image -tag "kurama:$version" -arch "$arch" -time "$(git log -1 --format=%ct)" -out "dist/kurama-image-$version-$arch.tar" \
	kurama=dist/kurama etc/ssl/certs/ca-certificates.crt=/etc/ssl/certs/ca-certificates.crt
(cd dist && sha256sum -- * > SHA256SUMS)
ls -l dist

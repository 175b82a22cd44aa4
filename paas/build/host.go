package build

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/mount"
)

// hostSettings is how the host reaches its package index. It is handed to
// builds as it is and never printed, because it may hold passwords.
type hostSettings struct {
	env    []string
	mounts []mount.Mount
	urls   []string // of indexes and proxies
}

// userConfig is where the pip settings of the user who runs Kurama are seen in
// a build.
const userConfig = "/run/pip.conf"

var (
	// unfitting are pip's variables that say where to install or keep things
	// on this host.
	unfitting = []string{"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PIP_LOG", "PIP_PYTHON",
		"PIP_REQUIRE_VIRTUALENV", "PIP_SRC", "PIP_REPORT", "PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_QUIET", "PIP_PROGRESS_BAR"}
	certificates = []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
	proxies      = []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY"}
	certFolders  = []string{"/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"}
	anURL        = regexp.MustCompile(`https?://[^\s,"']+`)
	aPath        = regexp.MustCompile(`(?m)(?:^|[\s=])(/[^\s,"']+)`)
)

// readHost gathers pip's settings, the proxies and the certificates of this
// host.
func readHost(environ []string) hostSettings {
	var h hostSettings
	for _, dir := range certFolders {
		h.mount(dir, dir)
	}
	h.config("/etc/pip.conf", "/etc/pip.conf")
	if home, err := os.UserHomeDir(); err == nil {
		for _, file := range []string{".config/pip/pip.conf", ".pip/pip.conf"} {
			if h.config(filepath.Join(home, file), userConfig) && !slices.ContainsFunc(environ, isConfigFile) {
				h.env = append(h.env, "PIP_CONFIG_FILE="+userConfig)
				break
			}
		}
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		pip := strings.HasPrefix(name, "PIP_") && !slices.Contains(unfitting, name)
		if !pip && !slices.Contains(certificates, name) && !slices.Contains(proxies, strings.ToUpper(name)) {
			continue
		}
		h.env = append(h.env, pair)
		h.urls = append(h.urls, anURL.FindAllString(value, -1)...)
		if name == "PIP_CONFIG_FILE" {
			h.config(value, value)
		}
		h.paths(value)
	}
	return h
}

func isConfigFile(pair string) bool { return strings.HasPrefix(pair, "PIP_CONFIG_FILE=") }

// config mounts a settings file of pip and what it refers to.
func (h *hostSettings) config(file, target string) bool {
	text, err := os.ReadFile(file)
	if err != nil || !h.mount(file, target) {
		return false
	}
	h.urls = append(h.urls, anURL.FindAllString(string(text), -1)...)
	h.paths(string(text))
	return true
}

// paths mounts the host's files and folders that a text names, at the same
// place: certificates and folders of wheels.
func (h *hostSettings) paths(text string) {
	for _, m := range aPath.FindAllStringSubmatch(text, -1) {
		for path := range strings.SplitSeq(m[1], ":") {
			if filepath.Clean(path) == path && strings.Count(path, "/") > 1 {
				h.mount(path, path)
			}
		}
	}
}

// mount shows a file or folder read-only, unless something above it is shown
// already.
func (h *hostSettings) mount(source, target string) bool {
	if _, err := os.Stat(source); err != nil {
		return false
	}
	for _, m := range h.mounts {
		if target == m.Target || strings.HasPrefix(target, m.Target+"/") {
			return true
		}
	}
	h.mounts = append(h.mounts, mount.Mount{Type: mount.TypeBind, Source: source, Target: target, ReadOnly: true})
	return true
}

// addresses returns where the indexes and proxies are when that is in a
// private range, which builds do not reach otherwise.
func (h *hostSettings) addresses(ctx context.Context) []netip.AddrPort {
	var found []netip.AddrPort
	for _, text := range h.urls {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			continue
		}
		port := uint64(443)
		if u.Scheme == "http" {
			port = 80
		}
		if p, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
			port = p
		}
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", u.Hostname())
		if err != nil {
			continue // pip will say it better
		}
		for _, ip := range ips {
			if a := netip.AddrPortFrom(ip.Unmap(), uint16(port)); ip.Unmap().IsPrivate() && !slices.Contains(found, a) {
				found = append(found, a)
			}
		}
	}
	return found
}

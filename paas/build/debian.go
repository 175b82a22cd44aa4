package build

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func mmdebstrapArgs(ctx context.Context) []string {
	args := []string{"--variant=essential", "--format=tar", "--include=" + strings.Join(debianPackages, ",")}
	for _, waste := range []string{"/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"} {
		args = append(args, "--dpkgopt=path-exclude="+waste)
	}
	for _, option := range aptOptions(ctx) {
		args = append(args, "--aptopt="+option)
	}
	return append(args, suite(), "-", "-")
}

// aptOptions returns how this host's apt fetches: proxies, certificates,
// tolerance for old indexes.
func aptOptions(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "apt-config", "dump", "--no-empty").Output()
	if err != nil {
		return nil
	}
	var options []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(strings.TrimSpace(line), ";")
		if strings.HasPrefix(line, "Acquire::") && !strings.HasPrefix(line, "Acquire::IndexTargets") &&
			!strings.HasPrefix(line, "Acquire::Changelogs") && !strings.HasPrefix(line, "Acquire::CompressionTypes") {
			options = append(options, line)
		}
	}
	return options
}

// debianSources returns this host's own sources of Debian packages, or the
// public mirror where it is no Debian.
func debianSources(ctx context.Context) string {
	signed := ""
	if _, err := os.Stat(debianKeys); err == nil {
		signed = "[signed-by=" + debianKeys + "] "
	}
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "deb "+signed+"$(REPO_URI) $(RELEASE) $(COMPONENT)",
		"Created-By: Packages", "Origin: Debian").Output()
	var lines []string
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		ours := len(f) > 2 && (f[len(f)-2] == suite() || strings.HasPrefix(f[len(f)-2], suite()+"-"))
		if line = strings.TrimSpace(line); ours && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if err != nil || len(lines) == 0 {
		return "deb " + signed + debianMirror + " " + suite() + " main\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

// suite is this host's own release of Debian, else the stable one.
func suite() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "stable"
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	if values["ID"] == "debian" && values["VERSION_CODENAME"] != "" {
		return values["VERSION_CODENAME"]
	}
	return "stable"
}

package postgres

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
)

// ErrNotInstalled says that no PostgreSQL server binaries were found.
var ErrNotInstalled = errors.New("no PostgreSQL server was found. Install it (on Debian: apt-get install postgresql), " +
	"name the folder of initdb in database.bin, or set database.url to a server you already have")

// FindBinaries returns the folder that holds initdb and postgres: dir when it
// is given, else the newest version installed by Debian, else the one on PATH.
// It returns ErrNotInstalled where there is none.
func FindBinaries(dir string) (string, error) {
	candidates := []string{dir}
	if dir == "" {
		candidates = installedVersions("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
		if path, err := exec.LookPath("initdb"); err == nil {
			candidates = append(candidates, filepath.Dir(path))
		}
	}
	for _, c := range candidates {
		if isFile(filepath.Join(c, "initdb")) && isFile(filepath.Join(c, "postgres")) {
			return c, nil
		}
	}
	return "", ErrNotInstalled
}

// installedVersions lists the folders that match, newest version first.
func installedVersions(patterns ...string) []string {
	var found []string
	for _, p := range patterns {
		match, _ := filepath.Glob(p) // the patterns are constants: never malformed
		sort.Slice(match, func(i, j int) bool { return versionOf(match[i]) > versionOf(match[j]) })
		found = append(found, match...)
	}
	return found
}

func versionOf(bin string) int {
	v, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return v
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

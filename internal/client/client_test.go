package client

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kurama/paas"
)

func TestAlwaysIgnored(t *testing.T) {
	always := paas.ParseIgnore(alwaysIgnored)
	if !always.Match("app/__pycache__", true) || always.Match("app.py", false) {
		t.Error("what no app needs is not told from what it needs")
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPack(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"app.py": "app = 1", "sub/x.txt": "x", ".git/config": "no", "venv/lib/y.py": "no", "big.csv": "no",
		"kept.csv": "yes", ".gitignore": "*.csv\n", ".kuramaignore": "!kept.csv\n"})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	p, err := Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	_ = z.Close()
	slices.Sort(names)
	if got := strings.Join(names, " "); got != ".gitignore .kuramaignore app.py kept.csv sub/x.txt" || p.Files != 5 || !slices.Equal(p.LeftOut, []string{"link"}) {
		t.Errorf("got %s, %+v", got, p)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.Path); !os.IsNotExist(err) {
		t.Error("the zip stays")
	}
	if _, err := Pack(filepath.Join(dir, "nope")); err == nil || !strings.Contains(err.Error(), "nope does not exist") {
		t.Errorf("got %v", err)
	}
	if _, err := Pack(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no file to send") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestAppName(t *testing.T) {
	for path, want := range map[string]string{"/x/My Shop": "my-shop", "hello.tar.gz": "hello", "app.py": "app", "/": "", "9lives_": "lives",
		strings.Repeat("a", 50): strings.Repeat("a", 40), "ümlaut": "mlaut"} {
		if got := AppName(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kurama", "credentials")
	write(t, dir, map[string]string{"data/admin.token": "kt_admin\n"})
	env := map[string]string{}
	f := func(wantURL, wantToken string) {
		t.Helper()
		url, token, err := Find(func(k string) string { return env[k] }, file, filepath.Join(dir, "none"), filepath.Join(dir, "data"))
		if err != nil || url != wantURL || token != wantToken {
			t.Errorf("got %s %s %v, want %s %s", url, token, err, wantURL, wantToken)
		}
	}
	f(DefaultURL, "kt_admin")
	env["KURAMA_URL"] = "https://elsewhere.example/"
	f("https://elsewhere.example", "")
	saved := Credentials{Current: "https://saved.example", Tokens: map[string]string{"https://saved.example": "kt_saved"}}
	if err := saved.Save(file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	f("https://elsewhere.example", "") // a token does not go to another installation
	delete(env, "KURAMA_URL")
	f("https://saved.example", "kt_saved")
	env["KURAMA_TOKEN"] = "kt_env"
	f("https://saved.example", "kt_env")
}

func TestWholeOf(t *testing.T) {
	for header, want := range map[string]int64{"bytes */60": 60, "bytes */0": 0, "": -1, "bytes */*": -1, "bytes 0-3/60": -1, "bytes */-5": -1, "lines */60": -1} {
		if got := wholeOf(header); got != want {
			t.Errorf("%q: got %d, want %d", header, got, want)
		}
	}
}

package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

const shipped = "../../kuramaconfig.yaml"

func TestShippedFile(t *testing.T) {
	t.Run("equals the built-in defaults", func(t *testing.T) {
		got, err := Load(shipped, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := Default(); !reflect.DeepEqual(got, want) {
			t.Errorf("the file and the defaults differ:\n%+v\n%+v", got, want)
		}
	})
	t.Run("holds every key", func(t *testing.T) {
		text, err := os.ReadFile(shipped)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		cfg := Default()
		walk(reflect.ValueOf(&cfg).Elem(), "", func(key string, _ reflect.Value) {
			var at any = doc
			for name := range strings.SplitSeq(key, ".") {
				section, _ := at.(map[string]any)
				at = section[name]
			}
			if at == nil {
				t.Errorf("key %s is missing", key)
			}
		})
	})
}

func TestLoad(t *testing.T) {
	write := func(t *testing.T, text string) string {
		path := filepath.Join(t.TempDir(), "kuramaconfig.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("a mistake is told with line, key and what is allowed", func(t *testing.T) {
		for text, want := range map[string]string{
			"routre:\n  listen: :80":         `line 1: routre: there is no such key. Allowed here: .*router`,
			"router:\n  lisen: :80":          `line 2: router.lisen: there is no such key. Allowed here: .*listen`,
			"router:\n  hold_timeout: soon":  `line 2: router.hold_timeout: "soon" is not a duration: write it as`,
			"build:\n  memory: much":         `line 2: build.memory: "much" is not a size`,
			"router:\n  in_flight: many":     `line 2: router.in_flight: "many" is not a whole number`,
			"router:\n  in_flight: 0":        `line 2: router.in_flight: 0 means nothing here`,
			"router:\n  in_flight: -3":       `line 2: router.in_flight: -3 is negative`,
			"log_level: loud":                `line 1: log_level: "loud" is not known. Allowed: debug, info`,
			"router:\n  tls: {listen: 443}":  `line 2: router.tls.listen: "443" is not an address`,
			"router:\n  tls: {listne: x}":    `line 2: router.tls.listne: there is no such key. Allowed here: directory, email, listen`,
			"stream:\n  listen: 0.0.0.0:9":   `line 2: stream.listen: .* is not a loopback address`,
			"router: [1]":                    `line 1: router: a section is expected`,
			"router:\n  listen: [1]":         `line 2: router.listen`,
			"data: x\ndata: y":               `mapping key "data" already defined|stands twice`,
			"a: [":                           `is not YAML`,
			"autoscaler:\n  min: 9":          `line 2: autoscaler.min: min is 9 and max is 4`,
			"autoscaler:\n  load_window: 9s": `line 2: autoscaler.load_window: load_window is 9 s: use 10 to 3600 s`,
			"autoscaler:\n  policy: magic":   `line 2: autoscaler.policy: There is no policy called "magic". Use one of kurama, swift`,
			"docker:\n  network_pool: x":     `line 2: docker.network_pool: "x" is not an IPv4 range`,
			"domain: http://x":               `line 1: domain: .* is not a host name`,
			"stream:\n  sync: perhaps":       `line 2: stream.sync: "perhaps" is not true or false`,
			"app:\n  memory: 1MiB":           `line 2: app.memory: 1MiB is too little`,
		} {
			_, err := Load(write(t, text), nil)
			if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
				t.Errorf("%q:\n got  %v\n want %s", text, err, want)
			}
		}
	})
	t.Run("an empty file gives the defaults", func(t *testing.T) {
		got, err := Load(write(t, ""), nil)
		if err != nil || !reflect.DeepEqual(got, Default()) {
			t.Errorf("%v %v", got, err)
		}
	})
	t.Run("a missing file is said to be missing", func(t *testing.T) {
		_, err := Load("/nowhere/kuramaconfig.yaml", nil)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	t.Run("the environment overrides the file", func(t *testing.T) {
		path := write(t, "router:\n  listen: :80\n  hold_timeout: 3s")
		got, err := Load(path, []string{"KURAMA_ROUTER_LISTEN=:8081", "KURAMA_SMTP_PASSWORD=12345", "KURAMA_URL=unrelated"})
		if err != nil {
			t.Fatal(err)
		}
		if got.Router.Listen != ":8081" || got.Router.HoldTimeout != 3*time.Second || got.SMTP.Password.Reveal() != "12345" {
			t.Errorf("%+v", got.Router)
		}
	})
	t.Run("a wrong environment variable is named", func(t *testing.T) {
		_, err := Load("", []string{"KURAMA_ROUTER_IN_FLIGHT=x"})
		if err == nil || !strings.Contains(err.Error(), "KURAMA_ROUTER_IN_FLIGHT") {
			t.Error(err)
		}
	})
}

func TestSecret(t *testing.T) {
	cfg := Default()
	cfg.SMTP.Password, cfg.Database.URL = "hunter2", "postgres://u:hunter2@h/d"
	j, _ := json.Marshal(cfg)
	y, _ := yaml.Marshal(cfg)
	for form, text := range map[string]string{"%v": fmt.Sprintf("%v", cfg), "%+v": fmt.Sprintf("%+v", cfg),
		"%#v": fmt.Sprintf("%#v", cfg), "json": string(j), "yaml": string(y)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret shows in %s", form)
		}
	}
}

func FuzzLoad(f *testing.F) {
	text, _ := os.ReadFile(shipped)
	f.Add(text)
	f.Add([]byte("router:\n  listen: [&a *a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := reader{file: "f", lines: map[string]int{}}
		cfg := Default()
		r.parse(text, &cfg)
		_ = cfg.check()
	})
}

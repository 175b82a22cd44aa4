package build

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"kurama/internal/config"
	"kurama/logship/pipeline"
	"kurama/paas"
)

// manifest is an app's own kurama.yaml.
type manifest struct {
	command  []string // argv, or one line when shell
	shell    bool
	app      string // module:app for gunicorn
	health   string // path of the probe
	release  string // line for the shell, run before each release
	volumes  []paas.Volume
	database bool // it asks for one

	static      []paas.Static
	staticLines []int // where each stands

	bounds   paas.Bounds
	pipeline *paas.Pipeline
	cron     []paas.CronJob
	rollback *paas.AutoRollbackChange
}

const manifestKeys = "`command`, `app`, `release`, `volumes`, `database`, `static`, `cron`, `timeout`, `idle`, `max_body`, `health`, `rollback`, `pipeline` and `port`"

var appTarget = regexp.MustCompile(`^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?$`)

// manifest reads kurama.yaml; without one it is empty. It returns *paas.Invalid
// with the line of a mistake.
func (d detector) manifest() (manifest, error) {
	var m manifest
	text, err := d.read("kurama.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("kurama.yaml: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return m, invalid("`kurama.yaml` is not YAML: %s.", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return m, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return m, invalid("`kurama.yaml`, line %d: keys are expected; it knows %s.", top.Line, manifestKeys)
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if err := m.set(top.Content[i], top.Content[i+1]); err != nil {
			return m, err
		}
	}
	if len(m.command) > 0 && m.app != "" {
		return m, invalid("`kurama.yaml` has both `command` and `app`: keep one.")
	}
	return m, d.checkStatic(m)
}

func (m *manifest) set(key, value *yaml.Node) error {
	wrong := func(want string) error {
		return invalid("`kurama.yaml`, line %d: `%s` is %s.", value.Line, key.Value, want)
	}
	switch key.Value {
	case "command":
		return m.setCommand(value, wrong)
	case "app":
		if value.Kind != yaml.ScalarNode || !appTarget.MatchString(value.Value) {
			return wrong("a module and a name in it, such as `shop:app` or `shop:create_app()`")
		}
		m.app = value.Value
	case "release":
		if m.release = strings.TrimSpace(value.Value); value.Kind != yaml.ScalarNode || m.release == "" {
			return wrong("a line for the shell, such as `flask --app shop init-db`")
		}
	case "volumes":
		return m.setVolumes(value, wrong)
	case "database":
		return m.setDatabase(value, wrong)
	case "static":
		return m.setStatic(value)
	case "cron":
		return m.setCron(value)
	case "rollback":
		return m.setRollback(value, wrong)
	case "timeout", "idle", "max_body":
		return m.setBound(key.Value, value, wrong)
	case "health":
		if value.Kind != yaml.ScalarNode || !strings.HasPrefix(value.Value, "/") || strings.ContainsAny(value.Value, " \t\r\n#") {
			return wrong("a path, such as `/healthz`")
		}
		m.health = value.Value
	case pipeline.Key:
		p, err := pipeline.Decode(value)
		if err != nil {
			return invalid("`kurama.yaml`: %v", err)
		}
		m.pipeline = &p
	case "port":
		// The port is the platform's choice, told in $PORT; naming one does no harm.
		var n int
		if value.Decode(&n) != nil || n < 1 || n > 65535 {
			return wrong("a number between 1 and 65535; Kurama gives its own in $PORT whatever it says")
		}
	default:
		return invalid("`kurama.yaml`, line %d: `%s` is not known; the keys are %s.", key.Line, key.Value, manifestKeys)
	}
	return nil
}

// setDatabase reads whether the app wants a database.
func (m *manifest) setDatabase(value *yaml.Node, wrong func(string) error) error {
	if value.Kind == yaml.ScalarNode && value.Value == "postgres" {
		m.database = true
		return nil
	}
	if value.Kind != yaml.ScalarNode || value.Decode(&m.database) != nil {
		return wrong("`true` or `postgres`, for a Postgres database whose address is in $DATABASE_URL")
	}
	return nil
}

// setVolumes reads folders with their sizes: `instance: 256MiB`.
func (m *manifest) setVolumes(value *yaml.Node, wrong func(string) error) error {
	var sizes map[string]config.Bytes
	if value.Kind != yaml.MappingNode || value.Decode(&sizes) != nil {
		return wrong("folders with their sizes, such as `instance: 256MiB`")
	}
	for _, folder := range slices.Sorted(maps.Keys(sizes)) {
		v := paas.Volume{Path: folder, Size: int64(sizes[folder])}
		if err := paas.CheckVolume(v, m.volumes, math.MaxInt64); err != nil {
			return invalid("`kurama.yaml`, line %d: %v", value.Line, err)
		}
		m.volumes = append(m.volumes, v)
	}
	return nil
}

func (m *manifest) setCommand(value *yaml.Node, wrong func(string) error) error {
	const want = "a line for the shell, or a list of words"
	switch value.Kind {
	case yaml.ScalarNode:
		line := strings.TrimSpace(value.Value)
		if line == "" {
			return wrong(want)
		}
		m.command, m.shell = []string{line}, true
	case yaml.SequenceNode:
		if err := value.Decode(&m.command); err != nil || len(m.command) == 0 {
			return wrong(want)
		}
	default:
		return wrong(want)
	}
	return nil
}

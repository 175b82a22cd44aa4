package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// EnvPrefix starts the environment variables that override a key:
// router.in_flight is KURAMA_ROUTER_IN_FLIGHT.
const EnvPrefix = "KURAMA_"

// Load returns the defaults, overridden by the file at path and then by the
// environment. An empty path means no file; a path that does not exist is an
// error that wraps fs.ErrNotExist. Every other error names file, line, key,
// value and what is allowed.
func Load(path string, env []string) (Config, error) {
	cfg := Default()
	r := reader{file: path, lines: map[string]int{}}
	if path != "" {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return cfg, fmt.Errorf("there is no configuration file %s: %w", path, fs.ErrNotExist)
		}
		if err != nil {
			return cfg, fmt.Errorf("reading the configuration: %w", err)
		}
		r.parse(text, &cfg)
	}
	r.override(env, &cfg)
	if len(r.problems) == 0 {
		for _, p := range cfg.check() {
			r.problem(r.lines[p.key], p.key, p.text)
		}
	}
	return cfg, errors.Join(r.problems...)
}

// reader fills a Config and gathers what is wrong, with its place.
type reader struct {
	file     string
	lines    map[string]int // key → line, for the bounds that are checked at the end
	problems []error
}

func (r *reader) problem(line int, key, text string) {
	place := r.file
	if line > 0 {
		place = fmt.Sprintf("%s, line %d", r.file, line)
	}
	if place == "" || line == 0 {
		place = "configuration"
	}
	r.problems = append(r.problems, fmt.Errorf("%s: %s: %s", place, key, text))
}

func (r *reader) parse(text []byte, cfg *Config) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		r.problems = append(r.problems, fmt.Errorf("%s is not YAML: %s", r.file, strings.TrimPrefix(err.Error(), "yaml: ")))
		return
	}
	if len(doc.Content) > 0 {
		r.fill(doc.Content[0], "", reflect.ValueOf(cfg).Elem())
	}
}

// fill reads the mapping n into the struct v.
func (r *reader) fill(n *yaml.Node, prefix string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			r.problem(n.Line, strings.TrimSuffix(prefix, "."), "a section is expected here, keys with values, not "+n.Value)
		}
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := prefix + key.Value
		field, ok := fieldOf(v, key.Value)
		switch {
		case !ok:
			r.problem(key.Line, path, "there is no such key. Allowed here: "+strings.Join(keysOf(v), ", "))
		case seen[key.Value]:
			r.problem(key.Line, path, "the key stands twice; remove one")
		case field.Kind() == reflect.Struct:
			r.fill(value, path+".", field)
		default:
			r.set(value, path, field)
		}
		seen[key.Value] = true
	}
}

func (r *reader) set(n *yaml.Node, path string, field reflect.Value) {
	r.lines[path] = n.Line
	if err := n.Decode(field.Addr().Interface()); err != nil || n.Kind != yaml.ScalarNode {
		r.problem(n.Line, path, fmt.Sprintf("%q is not %s", n.Value, expected(field)))
	}
}

// expected says in words what a field takes.
func expected(field reflect.Value) string {
	switch field.Type().String() {
	case "time.Duration":
		return "a duration: write it as 250ms, 30s, 5m or 72h"
	case "config.Bytes":
		return "a size: write it as 512KiB, 100MiB or 2GiB"
	}
	switch field.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "a text"
}

// override applies the environment's KURAMA_* variables that name a key.
func (r *reader) override(env []string, cfg *Config) {
	values := map[string]string{}
	for _, e := range env {
		if k, v, ok := strings.Cut(e, "="); ok && strings.HasPrefix(k, EnvPrefix) {
			values[k] = v
		}
	}
	walk(reflect.ValueOf(cfg).Elem(), "", func(path string, field reflect.Value) {
		name := EnvName(path)
		text, ok := values[name]
		if !ok {
			return
		}
		n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
		if field.Kind() == reflect.String {
			n.Tag = "!!str"
		}
		if err := n.Decode(field.Addr().Interface()); err != nil {
			r.problem(0, "environment variable "+name, fmt.Sprintf("%q is not %s", text, expected(field)))
		}
	})
}

// EnvName returns the environment variable that overrides the key.
func EnvName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// walk calls fn for every key below v.
func walk(v reflect.Value, prefix string, fn func(path string, field reflect.Value)) {
	for i := range v.NumField() {
		path := prefix + v.Type().Field(i).Tag.Get("yaml")
		if f := v.Field(i); f.Kind() == reflect.Struct {
			walk(f, path+".", fn)
		} else {
			fn(path, f)
		}
	}
}

func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func keysOf(v reflect.Value) []string {
	keys := make([]string, 0, v.NumField())
	for i := range v.NumField() {
		keys = append(keys, v.Type().Field(i).Tag.Get("yaml"))
	}
	slices.Sort(keys)
	return keys
}

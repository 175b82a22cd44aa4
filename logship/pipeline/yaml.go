package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"kurama/paas"
)

// Key is the one of a pipeline in kurama.yaml.
const Key = "pipeline"

// The keys that there are in a pipeline's YAML.
var (
	receiverKeys = []string{"when", "to", "for", "keep_firing", "repeat"}
	stageKeys    = []string{"off", "take", "retention_days"}
	branchKeys   = []string{"level", "route", "when", "sample"}
	topKeys      = append(serviceKeys(), "receivers")
)

func serviceKeys() []string {
	keys := make([]string, len(paas.Services))
	for i, s := range paas.Services {
		keys[i] = string(s)
	}
	return keys
}

// Parse reads the pipeline of a kurama.yaml; other keys of the file are not
// looked at. Errors: *paas.Invalid with the line of a mistake, or that there is
// no pipeline in it.
func Parse(text []byte) (paas.Pipeline, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return paas.Pipeline{}, invalid("The file is not YAML: %s.", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 1 && doc.Content[0].Kind == yaml.MappingNode {
		top := doc.Content[0].Content
		for i := 0; i+1 < len(top); i += 2 {
			if top[i].Value == Key {
				return Decode(top[i+1])
			}
		}
	}
	return paas.Pipeline{}, invalid("The file has no `%s:` at its top level. Write it as `kurama pipeline APP` shows it.", Key)
}

// Decode reads what stands behind the key pipeline. Errors: *paas.Invalid with
// the line of a mistake.
func Decode(node *yaml.Node) (paas.Pipeline, error) {
	var p paas.Pipeline
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return p, nil
	}
	if err := checkKeys(node, Key, topKeys); err != nil {
		return p, err
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		if key == "receivers" {
			p.Receivers = &[]paas.Receiver{}
			if err := decodeList(value, key, receiverKeys, p.Receivers); err != nil {
				return p, err
			}
			continue
		}
		if err := decodeStage(value, key, p.Stage(paas.Service(key))); err != nil {
			return p, err
		}
	}
	return p, nil
}

// decodeStage reads a service: `off`, `on`, or its keys.
func decodeStage(node *yaml.Node, name string, into *paas.Stage) error {
	if node.Kind == yaml.ScalarNode {
		switch strings.ToLower(node.Value) {
		case "off", "false":
			into.Off = true
			return nil
		case "on", "true", "":
			return nil
		}
	}
	if err := checkKeys(node, name, stageKeys); err != nil {
		return err
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		var err error
		switch key {
		case "off":
			err = decode(value, &into.Off)
		case "take":
			err = decodeList(value, key, branchKeys, &into.Take)
		case "retention_days":
			err = decode(value, &into.RetentionDays)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func decodeList(node *yaml.Node, name string, keys []string, into any) error {
	if node.Kind != yaml.SequenceNode {
		return at(node, "`%s` is a list: begin each item with `- `", name)
	}
	for _, item := range node.Content {
		if err := checkKeys(item, name, keys); err != nil {
			return err
		}
	}
	return decode(node, into)
}

// checkKeys refuses what is no mapping of known keys.
func checkKeys(node *yaml.Node, name string, keys []string) error {
	if node.Kind != yaml.MappingNode {
		return at(node, "`%s` needs keys: %s", name, strings.Join(keys, ", "))
	}
	for i := 0; i < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(keys, key.Value) {
			return at(key, "`%s` is not known in `%s`: there are %s", key.Value, name, strings.Join(keys, ", "))
		}
	}
	return nil
}

// mistyped reads what the YAML library says of a value of the wrong type.
var mistyped = regexp.MustCompile("line (\\d+): cannot unmarshal \\S+ (?:`([^`]*)` )?into (\\S+)")

func decode(node *yaml.Node, into any) error {
	err := node.Decode(into)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok && len(wrong.Errors) > 0 {
		if m := mistyped.FindStringSubmatch(wrong.Errors[0]); m != nil {
			return invalid("Line %s: `%s` does not fit here: %s is wanted.", m[1], m[2], typeWord(m[3]))
		}
	}
	return at(node, "the value cannot be read: %v", err)
}

func typeWord(goType string) string {
	switch goType {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "float64":
		return "a number"
	}
	return "a text"
}

func at(node *yaml.Node, format string, args ...any) error {
	return invalid("Line %d: %s.", node.Line, fmt.Sprintf(format, args...))
}

func invalid(format string, args ...any) error {
	return &paas.Invalid{Reason: fmt.Sprintf(format, args...)}
}

// Format writes p as it stands in kurama.yaml.
func Format(p paas.Pipeline) (string, error) {
	var b bytes.Buffer
	var doc yaml.Node
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := doc.Encode(map[string]paas.Pipeline{Key: p})
	if err == nil {
		plainOff(doc.Content[1])
		err = enc.Encode(&doc)
	}
	if err != nil {
		return "", fmt.Errorf("writing a pipeline as YAML: %w", err)
	}
	return b.String(), nil
}

// plainOff writes `profile: off`, which is what a person would write; the
// library puts a key called off in quotes, for readers of YAML 1.1.
func plainOff(top *yaml.Node) {
	for i := 1; i < len(top.Content); i += 2 {
		stage := top.Content[i]
		if stage.Kind != yaml.MappingNode || stage.Content[0].Value != "off" {
			continue
		}
		stage.Content[0].Tag, stage.Content[0].Style = "", 0
		if len(stage.Content) == 2 {
			top.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Value: "off"}
		}
	}
}

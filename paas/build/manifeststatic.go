package build

import (
	"path"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"kurama/paas"
)

// setStatic reads one static folder, or a list of them.
func (m *manifest) setStatic(value *yaml.Node) error {
	folders := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		folders = value.Content
	}
	for _, node := range folders {
		s, err := readStatic(node)
		if err != nil {
			return err
		}
		m.static = append(m.static, s)
		m.staticLines = append(m.staticLines, node.Line)
	}
	return nil
}

func readStatic(node *yaml.Node) (s paas.Static, err error) {
	wrong := func() error {
		return invalid("`kurama.yaml`, line %d: `static` is a folder that the router serves: `{path: /static, dir: shop/static}`, with `cache: 1h` where browsers may keep its files, or a list of such.", node.Line)
	}
	if node.Kind != yaml.MappingNode {
		return s, wrong()
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		var cache time.Duration
		switch {
		case value.Kind != yaml.ScalarNode:
			return s, wrong()
		case key == "path":
			s.Path = strings.TrimSuffix(value.Value, "/")
		case key == "dir":
			s.Dir = path.Clean(value.Value)
		case key == "cache" && value.Decode(&cache) == nil:
			s.Cache = cache.Seconds()
		default:
			return s, wrong()
		}
	}
	if s.Path == "" || s.Dir == "" {
		return s, wrong()
	}
	return s, nil
}

// checkStatic returns *paas.Invalid for a static folder that cannot be served:
// only now is it known what else kurama.yaml says.
func (d detector) checkStatic(m manifest) error {
	for i, s := range m.static {
		if err := paas.CheckStatic(s, m.static[:i], m.volumes); err != nil {
			return invalid("`kurama.yaml`, line %d: %v", m.staticLines[i], err)
		}
		if info, err := d.root.Stat(s.Dir); err != nil || !info.IsDir() {
			return invalid("`kurama.yaml`, line %d: the upload has no folder `%s`. Check its name, and that no `%s` leaves it out.", m.staticLines[i], s.Dir, ignoreFile)
		}
	}
	return nil
}

// servedBy says what the router serves by itself.
func servedBy(static []paas.Static) string {
	var parts []string
	for _, s := range static {
		parts = append(parts, "`"+s.Path+"` from `"+s.Dir+"`")
	}
	if len(parts) == 0 {
		return ""
	}
	return " The router serves " + strings.Join(parts, " and ") + " by itself."
}

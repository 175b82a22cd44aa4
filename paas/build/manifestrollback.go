package build

import (
	"errors"

	"gopkg.in/yaml.v3"

	"kurama/paas"
)

// setRollback reads whether the app goes back by itself:
// `rollback: {auto: true, within: 10m, errors: 5%, p95: 2x, memory: 25%}`.
func (m *manifest) setRollback(value *yaml.Node, wrong func(string) error) error {
	const want = "what makes the app go back by itself, such as `{auto: true, within: 10m, errors: 5%, p95: 2x}`"
	if value.Kind != yaml.MappingNode {
		return wrong(want)
	}
	m.rollback = &paas.AutoRollbackChange{}
	for i := 0; i+1 < len(value.Content); i += 2 {
		key, field := value.Content[i], value.Content[i+1]
		if field.Kind != yaml.ScalarNode {
			return wrong(want)
		}
		if bad, ok := errors.AsType[*paas.Invalid](m.rollback.Set(key.Value, field.Value)); ok {
			return invalid("`kurama.yaml`, line %d: %s", key.Line, bad.Reason)
		}
	}
	return nil
}

package build

import (
	"time"

	"gopkg.in/yaml.v3"

	"kurama/internal/config"
)

// setBound reads what a request may take of the app.
func (m *manifest) setBound(key string, value *yaml.Node, wrong func(string) error) error {
	if key == "max_body" {
		var size config.Bytes
		if value.Kind != yaml.ScalarNode || value.Decode(&size) != nil || size <= 0 {
			return wrong("a size, such as `200MiB`")
		}
		m.bounds.MaxBody = int64(size)
		return nil
	}
	var wait time.Duration
	if value.Kind != yaml.ScalarNode || value.Decode(&wait) != nil || wait < time.Second {
		return wrong("a duration from `1s` on, such as `2m`")
	}
	if key == "idle" {
		m.bounds.Idle = wait.Seconds()
	} else {
		m.bounds.Timeout = wait.Seconds()
	}
	return nil
}

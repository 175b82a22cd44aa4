package build

import (
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"kurama/internal/schedule"
	"kurama/paas"
)

// cronEntry is one of the jobs below `cron:` in kurama.yaml.
type cronEntry struct {
	Name     string        `yaml:"name"`
	Schedule string        `yaml:"schedule"`
	Command  string        `yaml:"command"`
	Timeout  time.Duration `yaml:"timeout"`
	Overlap  bool          `yaml:"overlap"`
}

var cronKeys = []string{"name", "schedule", "command", "timeout", "overlap"}

// setCron reads the jobs that run at set times.
func (m *manifest) setCron(value *yaml.Node) error {
	if value.Kind != yaml.SequenceNode {
		return invalid("`kurama.yaml`, line %d: `cron` is a list of jobs, each with `name`, `schedule` and `command`.", value.Line)
	}
	if len(value.Content) > paas.MaxCronJobs {
		return invalid("`kurama.yaml`, line %d: %d jobs are too many: an app can have %d.", value.Line, len(value.Content), paas.MaxCronJobs)
	}
	for _, node := range value.Content {
		job, err := cronJob(node)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(m.cron, func(o paas.CronJob) bool { return o.Name == job.Name }) {
			return invalid("`kurama.yaml`, line %d: there are two jobs named `%s`.", node.Line, job.Name)
		}
		m.cron = append(m.cron, job)
	}
	return nil
}

func cronJob(node *yaml.Node) (paas.CronJob, error) {
	wrong := func(at *yaml.Node, format string, args ...any) (paas.CronJob, error) {
		return paas.CronJob{}, invalid("`kurama.yaml`, line %d: "+format, append([]any{at.Line}, args...)...)
	}
	if node.Kind != yaml.MappingNode {
		return wrong(node, "a job is expected, with `name`, `schedule` and `command`.")
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(cronKeys, key.Value) {
			return wrong(key, "`%s` is not known of a job; its keys are `%s`.", key.Value, strings.Join(cronKeys, "`, `"))
		}
	}
	var e cronEntry
	if err := node.Decode(&e); err != nil {
		return wrong(node, "the job cannot be read: `timeout` is a duration such as `10m`, `overlap` is true or false, the others are text.")
	}
	if err := paas.CheckName("a job", e.Name); err != nil {
		return wrong(node, "%v.", err)
	}
	if e.Command = strings.TrimSpace(e.Command); e.Command == "" {
		return wrong(node, "the job `%s` has no `command`: write a line for the shell, such as `flask --app shop send-mails`.", e.Name)
	}
	if _, err := schedule.Parse(e.Schedule); err != nil {
		return wrong(node, "the job `%s`: %v.", e.Name, err)
	}
	if e.Timeout < 0 {
		return wrong(node, "the job `%s`: a timeout of %s means nothing.", e.Name, e.Timeout)
	}
	return paas.CronJob{Name: e.Name, Schedule: strings.TrimSpace(e.Schedule), Command: e.Command, Timeout: e.Timeout.Seconds(), Overlap: e.Overlap}, nil
}

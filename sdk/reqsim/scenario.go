package reqsim

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Scenario is a run as a YAML file describes it; docs/reqsim.md has the form.
type Scenario struct {
	App         string            `yaml:"app"`
	URLs        stringList        `yaml:"url"`
	Host        string            `yaml:"host"`
	Headers     map[string]string `yaml:"headers"`
	Phases      []phaseYAML       `yaml:"phases"`
	Requests    []visitYAML       `yaml:"requests"`
	Data        map[string]string `yaml:"data"` // file by name
	WarmUp      time.Duration     `yaml:"warm_up"`
	Timeout     time.Duration     `yaml:"timeout"`
	MaxInFlight int               `yaml:"max_in_flight"`
	Seed        uint64            `yaml:"seed"`
	Ensure      []string          `yaml:"ensure"`
}

type phaseYAML struct {
	Name   string        `yaml:"name"`
	Shape  Shape         `yaml:"shape"`
	Rate   float64       `yaml:"rate"`
	Peak   float64       `yaml:"peak"`
	For    time.Duration `yaml:"for"`
	Period time.Duration `yaml:"period"`
}

type visitYAML struct {
	Weight   int        `yaml:"weight"`
	Steps    []stepYAML `yaml:"steps"`
	stepYAML `yaml:",inline"`
}

type stepYAML struct {
	Name    string                 `yaml:"name"`
	Get     string                 `yaml:"get"`
	Post    string                 `yaml:"post"`
	Put     string                 `yaml:"put"`
	Patch   string                 `yaml:"patch"`
	Delete  string                 `yaml:"delete"`
	Head    string                 `yaml:"head"`
	Body    string                 `yaml:"body"`
	Headers map[string]string      `yaml:"headers"`
	Cookies map[string]string      `yaml:"cookies"`
	Capture map[string]captureYAML `yaml:"capture"`
	Think   think                  `yaml:"think"`
}

type captureYAML struct {
	JSON   string `yaml:"json"`
	Regexp string `yaml:"regexp"`
	Header string `yaml:"header"`
	Cookie string `yaml:"cookie"`
}

// stringList is one text or a list of them.
type stringList []string

// UnmarshalYAML reads either.
func (l *stringList) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = []string{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// think is a pause, "1s" or "1s-3s".
type think [2]time.Duration

// UnmarshalYAML reads it.
func (t *think) UnmarshalYAML(n *yaml.Node) error {
	least, most, between := strings.Cut(n.Value, "-")
	var err1, err2 error
	t[0], err1 = time.ParseDuration(strings.TrimSpace(least))
	if t[1] = t[0]; between {
		t[1], err2 = time.ParseDuration(strings.TrimSpace(most))
	}
	if err1 != nil || err2 != nil {
		return fmt.Errorf("line %d: %q is not a pause: write it as 1s or 1s-3s", n.Line, n.Value)
	}
	return nil
}

// ParseScenario reads a scenario. Keys that it does not know are refused. Its
// errors are for the person who wrote it.
func ParseScenario(text []byte) (Scenario, error) {
	var s Scenario
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return s, fmt.Errorf("the scenario cannot be read: %w", err)
	}
	return s, nil
}

// Apply puts the scenario into a plan; open opens its data files. What the
// scenario does not say stays as in the plan.
func (s Scenario) Apply(p *Plan, open func(name string) (io.ReadCloser, error)) error {
	if len(s.URLs) > 0 {
		p.URL, p.Also = s.URLs[0], s.URLs[1:]
	}
	p.Host = cmp.Or(p.Host, s.Host)
	p.WarmUp, p.Timeout = cmp.Or(p.WarmUp, s.WarmUp), cmp.Or(s.Timeout, p.Timeout)
	p.MaxInFlight, p.Seed = cmp.Or(s.MaxInFlight, p.MaxInFlight), cmp.Or(p.Seed, s.Seed)
	if p.Headers == nil {
		p.Headers = http.Header{}
	}
	for name, value := range s.Headers {
		p.Headers.Set(name, value)
	}
	for _, f := range s.Phases {
		p.Phases = append(p.Phases, Phase{Name: f.Name, Shape: f.Shape, Rate: f.Rate, Peak: f.Peak, Duration: f.For, Period: f.Period})
	}
	for i, v := range s.Requests {
		visit, err := v.visit()
		if err != nil {
			return fmt.Errorf("request %d of the scenario: %w", i+1, err)
		}
		p.Visits = append(p.Visits, visit)
	}
	for _, text := range s.Ensure {
		e, err := ParseEnsure(text)
		if err != nil {
			return err
		}
		p.Ensure = append(p.Ensure, e)
	}
	return s.readData(p, open)
}

func (s Scenario) readData(p *Plan, open func(name string) (io.ReadCloser, error)) error {
	for name, file := range s.Data {
		f, err := open(file)
		if err != nil {
			return fmt.Errorf("the data %s: %w", name, err)
		}
		data, err := readRows(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("the data %s, %s: %w", name, file, err)
		}
		if p.Data == nil {
			p.Data = map[string]Data{}
		}
		p.Data[name] = data
	}
	return nil
}

// readRows reads CSV whose first line names the columns.
func readRows(r io.Reader) (Data, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return Data{}, err
	}
	if len(rows) < 2 {
		return Data{}, errors.New("it needs a line of column names and at least one row")
	}
	return Data{Columns: rows[0], Rows: rows[1:]}, nil
}

func (v visitYAML) visit() (Visit, error) {
	out := Visit{Weight: v.Weight, Name: v.Name}
	steps := v.Steps
	if len(steps) == 0 {
		steps = []stepYAML{v.stepYAML}
	} else if v.method() != nil {
		return out, errors.New("it has steps, and a request of its own: give one of both")
	}
	for _, y := range steps {
		found := y.method()
		if len(found) != 2 {
			return out, errors.New("a step needs one of get, post, put, patch, delete and head with a path")
		}
		step := Step{Name: y.Name, Method: found[0], Path: found[1], Body: y.Body, Headers: y.Headers, Cookies: y.Cookies, Think: y.Think}
		for name, c := range y.Capture {
			if step.Capture == nil {
				step.Capture = map[string]Capture{}
			}
			step.Capture[name] = Capture{JSON: c.JSON, Regexp: c.Regexp, Header: c.Header, Cookie: c.Cookie}
		}
		out.Steps = append(out.Steps, step)
	}
	return out, nil
}

// method returns the method and the path of a step; more where several are given.
func (y stepYAML) method() (found []string) {
	for _, m := range [][2]string{{"GET", y.Get}, {"POST", y.Post}, {"PUT", y.Put}, {"PATCH", y.Patch}, {"DELETE", y.Delete}, {"HEAD", y.Head}} {
		if m[1] != "" {
			found = slices.Concat(found, m[:])
		}
	}
	return found
}

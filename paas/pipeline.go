package paas

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Service is a role that takes records from the stream, and that a tenant may
// turn off or put filters before, app by app.
type Service string

// The services of a pipeline.
const (
	ServicePersist   Service = "persist"
	ServiceArchive   Service = "archive"
	ServiceAlert     Service = "alert"
	ServiceProfile   Service = "profile"
	ServiceDashboard Service = "dashboard"
)

// Services are those of a pipeline in the order in which they are shown.
var Services = []Service{ServicePersist, ServiceArchive, ServiceAlert, ServiceProfile, ServiceDashboard}

// Pipeline is what becomes of an app's records behind the stream: which
// services take them, and which of them. The zero one gives every service
// every record.
type Pipeline struct {
	Persist   Stage `json:"persist,omitzero" yaml:"persist,omitempty" required:"false"`
	Archive   Stage `json:"archive,omitzero" yaml:"archive,omitempty" required:"false"`
	Alert     Stage `json:"alert,omitzero" yaml:"alert,omitempty" required:"false"`
	Profile   Stage `json:"profile,omitzero" yaml:"profile,omitempty" required:"false"`
	Dashboard Stage `json:"dashboard,omitzero" yaml:"dashboard,omitempty" required:"false"`
	// Receivers are the app's alerts; nil leaves those that there are alone.
	Receivers *[]Receiver `json:"receivers,omitempty" yaml:"receivers,omitempty"`
}

// Stage says what a service takes of an app's records.
type Stage struct {
	Off bool `json:"off,omitempty" yaml:"off,omitempty" doc:"The service takes nothing of the app"`
	// Take are branches beside each other: a record that one of them lets pass is taken.
	Take []Branch `json:"take,omitempty" yaml:"take,omitempty" doc:"Branches beside each other: what one of them lets pass is taken; none: everything"`
	// RetentionDays bounds how long persist and archive keep what they took; 0: as the platform does.
	RetentionDays int `json:"retention_days,omitempty" yaml:"retention_days,omitempty" doc:"Of persist and archive: what is older is deleted; 0: as long as the platform keeps it"`
}

// IsZero reports whether the stage takes everything, which is how it is left
// out of YAML.
func (st Stage) IsZero() bool { return !st.Off && len(st.Take) == 0 && st.RetentionDays == 0 }

// Branch lets the records pass that meet all that it says. It decides about
// requests and log lines; samples and events of the platform always pass.
type Branch struct {
	Level  string  `json:"level,omitempty" yaml:"level,omitempty" doc:"This level or above"`
	Route  string  `json:"route,omitempty" yaml:"route,omitempty" doc:"Exactly this route; with * at its end each that begins so"`
	When   string  `json:"when,omitempty" yaml:"when,omitempty" doc:"A condition on the record, as in count(…) of an alert: level >= ERROR and dur > 1s"`
	Sample float64 `json:"sample,omitempty" yaml:"sample,omitempty" doc:"This part of them, above 0 and below 1; a request and its lines are kept together. 0: all"`
}

// Receiver is an alert as a pipeline says it: a condition and who is told.
type Receiver struct {
	When       string  `json:"when" yaml:"when" doc:"Condition of the alert"`
	To         string  `json:"to" yaml:"to" doc:"An e-mail address, or a webhook: https://… or slack:https://…"`
	For        float64 `json:"for,omitempty" yaml:"for,omitempty" doc:"Seconds that it must hold"`
	KeepFiring float64 `json:"keep_firing,omitempty" yaml:"keep_firing,omitempty" doc:"Seconds that it goes on firing after the condition has ended"`
	Repeat     float64 `json:"repeat,omitempty" yaml:"repeat,omitempty" doc:"Seconds between reminders while it fires; 0: none"`
}

// Bounds of a pipeline.
const (
	MaxBranches      = 8   // before one service
	maxRouteText     = 200 // bytes
	maxRetentionDays = 20 * 365
)

// Levels are those that a branch may name, from the least.
var Levels = []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}

// Stage returns what a service takes, nil for what is no service.
func (p *Pipeline) Stage(s Service) *Stage {
	switch s {
	case ServicePersist:
		return &p.Persist
	case ServiceArchive:
		return &p.Archive
	case ServiceAlert:
		return &p.Alert
	case ServiceProfile:
		return &p.Profile
	case ServiceDashboard:
		return &p.Dashboard
	}
	return nil
}

// CheckArchive returns *Invalid where p keeps an app's archive for a shorter
// time than the one in force now does, of which the platform keeps at most
// kept: files that it holds would be deleted.
func (p Pipeline) CheckArchive(now Pipeline, kept time.Duration) error {
	const day = 24 * time.Hour
	if days := time.Duration(now.Archive.RetentionDays); days > 0 {
		kept = min(kept, days*day)
	}
	if days := p.Archive.RetentionDays; days > 0 && time.Duration(days)*day < kept {
		return &Invalid{Reason: fmt.Sprintf("The pipeline keeps the archive for %d days, shorter than the %.0f days that it is kept now, which deletes files. "+
			"An owner of the tenant has to set that, on the app's page Pipeline or by `kurama pipeline APP --file F`.", days, kept.Hours()/24)}
	}
	return nil
}

// Check returns *Invalid with the reason why p cannot be an app's pipeline.
// compile, which tells what is wrong with a condition, must be given.
func (p Pipeline) Check(compile func(when string) error) error {
	for _, s := range Services {
		if err := p.Stage(s).check(s, compile); err != nil {
			return err
		}
	}
	return nil
}

func (st Stage) check(s Service, compile func(string) error) error {
	wrong := func(format string, args ...any) error {
		return &Invalid{Reason: fmt.Sprintf("The pipeline before %s: ", s) + fmt.Sprintf(format, args...)}
	}
	keeps := s == ServicePersist || s == ServiceArchive
	switch {
	case st.RetentionDays != 0 && !keeps:
		return wrong("%s keeps no records, so it has no retention. Set it at persist or archive.", s)
	case st.RetentionDays < 0 || st.RetentionDays > maxRetentionDays:
		return wrong("a retention of %d days is not possible: use 1 to %d, or 0 for the platform's own.", st.RetentionDays, maxRetentionDays)
	case len(st.Take) > MaxBranches:
		return wrong("%d branches are too many: at most %d can lie beside each other; join some with `or`.", len(st.Take), MaxBranches)
	case st.Off && len(st.Take) > 0:
		return wrong("it is off and has branches: a service that is off takes nothing, so remove one of both.")
	}
	for i, b := range st.Take {
		err := b.check(compile)
		if invalid, ok := errors.AsType[*Invalid](err); ok {
			return &Invalid{Reason: fmt.Sprintf("The pipeline before %s, branch %d: %s", s, i+1, invalid.Reason), Text: invalid.Text, At: invalid.At}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b Branch) check(compile func(string) error) error {
	wrong := func(format string, args ...any) error { return &Invalid{Reason: fmt.Sprintf(format, args...)} }
	switch {
	case b == Branch{}:
		return wrong("it says nothing, and so lets everything pass. Give it a level, a route, a condition or a sample, or remove it.")
	case b.Level != "" && !slices.Contains(Levels, b.Level):
		return wrong("%q is no level: use %s.", b.Level, strings.Join(Levels, ", "))
	case b.Route != "" && (!strings.HasPrefix(b.Route, "/") || len(b.Route) > maxRouteText || !utf8.ValidString(b.Route)):
		return wrong("%q is no route: write it as Flask's rule, such as /user/<id>, or /admin* for each that begins so.", b.Route)
	case !(b.Sample >= 0 && b.Sample < 1): // refuses NaN too
		return wrong("a sample of %g is not possible: it is a part of the records, above 0 and below 1; 0.1 is every tenth.", b.Sample)
	case b.When != "":
		return compile(b.When)
	}
	return nil
}

package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
)

func quotaCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "quota", Short: "Show what a tenant may have and has; operators change it", Args: cobra.NoArgs,
		Example: `  kurama quota
  kurama quota --tenant acme --apps 5 --replicas 10 --cpu 4 --memory 2GiB
  kurama quota --tenant acme --default`}
	flags := cmd.Flags()
	flags.Int("apps", 0, "apps at most; 0: no bound")
	flags.Int("replicas", 0, "replicas of all apps at most")
	flags.Float64("cpu", 0, "cores of all replicas at most")
	flags.String("memory", "", "memory of all replicas at most, such as 2GiB")
	flags.String("disk", "", "writable space of all replicas and volumes at most, such as 10GiB")
	flags.Float64("build-minutes", 0, "minutes that builds may take in 24 hours")
	flags.String("log-bytes", "", "what apps may log in a day (UTC), such as 1GiB; more is dropped and told")
	flags.Int("cpu-weight", 0, "part of the cores beside other tenants while all are busy; 100 is usual")
	flags.Bool("default", false, "let the default quota apply again")
	return asks(cmd, func(s *session, _ []string) error {
		view, err := s.quota()
		if err != nil {
			return err
		}
		return s.print(view, func() { s.showQuota(view) })
	})
}

// quota changes a tenant's quota where flags ask for it, and returns it.
func (s *session) quota() (view api.QuotaView, err error) {
	if reset, _ := s.cmd.Flags().GetBool("default"); reset {
		if err := s.send("DELETE", "/quota", nil, nil); err != nil {
			return view, err
		}
	}
	if err := s.get("/quota", nil, &view); err != nil {
		return view, err
	}
	changed, err := s.quotaChange(&view.Quota)
	if err == nil && changed {
		err = s.send("PUT", "/quota", view.Quota, &view)
	}
	return view, err
}

// quotaChange puts what the flags say into q and reports whether they say
// anything.
func (s *session) quotaChange(q *paas.Quota) (changed bool, err error) {
	flags := s.cmd.Flags()
	if changed = flags.Changed("apps"); changed {
		q.Apps, _ = flags.GetInt("apps")
	}
	if flags.Changed("replicas") {
		changed = true
		q.Replicas, _ = flags.GetInt("replicas")
	}
	if flags.Changed("cpu") {
		changed = true
		q.CPU, _ = flags.GetFloat64("cpu")
	}
	if flags.Changed("build-minutes") {
		changed = true
		q.BuildMinutes, _ = flags.GetFloat64("build-minutes")
	}
	if flags.Changed("cpu-weight") {
		changed = true
		q.CPUWeight, _ = flags.GetInt("cpu-weight")
	}
	for name, to := range map[string]*int64{"memory": &q.Memory, "disk": &q.Disk, "log-bytes": &q.LogBytes} {
		if !flags.Changed(name) {
			continue
		}
		text, _ := flags.GetString(name)
		bytes, err := config.ParseBytes(text)
		if err != nil {
			return true, fmt.Errorf("--%s: %w", name, err)
		}
		changed, *to = true, int64(bytes)
	}
	return changed, nil
}

func (s *session) showQuota(v api.QuotaView) {
	bound := func(text string, none bool) string {
		if none {
			return "no bound"
		}
		return text
	}
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	q, use := v.Quota, v.Use
	rows := [][]string{
		{"apps", strconv.Itoa(use.Apps), bound(strconv.Itoa(q.Apps), q.Apps == 0)},
		{"replicas", strconv.Itoa(use.Replicas), bound(strconv.Itoa(q.Replicas), q.Replicas == 0)},
		{"cores", number(use.CPU), bound(number(q.CPU), q.CPU == 0)},
		{"disk", config.Bytes(use.Disk).String(), bound(config.Bytes(q.Disk).String(), q.Disk == 0)},
		{"build minutes (24 h)", number(math.Round(use.BuildMinutes*10) / 10), bound(number(q.BuildMinutes), q.BuildMinutes == 0)},
		{"log bytes (today, UTC)", config.Bytes(use.LogBytes).String(), bound(config.Bytes(q.LogBytes).String(), q.LogBytes == 0)},
		{"weight of CPU", "", strconv.Itoa(cmp.Or(q.CPUWeight, paas.DefaultCPUWeight))},
		{"memory", config.Bytes(use.Memory).String(), bound(config.Bytes(q.Memory).String(), q.Memory == 0)},
	}
	if v.LogDropped > 0 {
		rows = append(rows, []string{"log records dropped today", strconv.FormatInt(v.LogDropped, 10), ""})
	}
	s.table("OF USED QUOTA", rows)
}

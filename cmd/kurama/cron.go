package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas"
	"kurama/paas/api"
)

// cronPoll is the pause between two looks at a run that works.
const cronPoll = 500 * time.Millisecond

func cronCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "cron APP [runs | run JOB]", Short: "Show the cron jobs of an app, or run one now",
		Long: `Shows the jobs that an app runs at set times, when they run next and how they ran last; runs one now.
The app's kurama.yaml names them:

  cron:
    - name: nightly
      schedule: "30 3 * * *"          # UTC; or @hourly, @daily, "CRON_TZ=Europe/Berlin 0 6 * * *"
      command: flask --app shop send-mails
      timeout: 10m                    # optional
      overlap: false                  # may it begin while the run before still works?

Each run has a fresh container of the live release. What it writes is in the app's logs.`,
		Example: `  kurama cron shop
  kurama cron shop run nightly
  kurama cron shop runs`, Args: cobra.RangeArgs(1, 3)},
		func(s *session, args []string) error {
			switch {
			case len(args) == 1:
				return s.showCron(args[0])
			case len(args) == 2 && args[1] == "runs":
				return s.showCronRuns(args[0])
			case len(args) == 3 && args[1] == "run":
				return s.runCron(args[0], args[2])
			}
			return fmt.Errorf("use `cron APP`, `cron APP runs` or `cron APP run JOB`")
		})
}

func (s *session) cron(app string) (view api.CronView, err error) {
	err = s.get(appPath(app, "cron"), nil, &view)
	return view, err
}

func (s *session) showCron(app string) error {
	view, err := s.cron(app)
	if err != nil {
		return err
	}
	return s.print(view, func() {
		if len(view.Jobs) == 0 {
			s.say("%s has no cron job. Name some in its kurama.yaml; `kurama cron --help` shows how.", app)
			return
		}
		rows := make([][]string, len(view.Jobs))
		for i, j := range view.Jobs {
			next, last, outcome := "stopped", "never", ""
			if j.Next != nil {
				next = j.Next.Local().Format("2006-01-02 15:04")
			}
			if j.Last != nil {
				last, outcome = ago(j.Last.DueAt), outcomeOf(*j.Last)
			}
			rows[i] = []string{j.Name, j.Schedule, next, last, orDash(outcome), j.Command}
		}
		s.table("JOB SCHEDULE NEXT LAST OUTCOME COMMAND", rows)
	})
}

func (s *session) showCronRuns(app string) error {
	view, err := s.cron(app)
	if err != nil {
		return err
	}
	return s.print(view.Runs, func() {
		rows := make([][]string, len(view.Runs))
		for i, r := range view.Runs {
			by, took := "schedule", "–"
			if r.By != "" {
				by = r.By
			}
			if r.StartedAt != nil && r.EndedAt != nil {
				took = spoken(r.EndedAt.Sub(*r.StartedAt))
			}
			rows[i] = []string{r.Job, ago(r.DueAt), outcomeOf(r), took, strconv.Itoa(r.Release), by, orDash(firstLine(r.Said))}
		}
		s.table("JOB DUE OUTCOME TOOK RELEASE BY SAID", rows)
	})
}

func outcomeOf(r paas.CronRun) string {
	switch {
	case r.Exit != nil && *r.Exit != 0:
		return fmt.Sprintf("%s (exit code %d)", r.Outcome, *r.Exit)
	case r.Count > 1:
		return fmt.Sprintf("%s × %d", r.Outcome, r.Count)
	}
	return string(r.Outcome)
}

// runCron runs a job and waits for its end. Its exit code is passed on.
func (s *session) runCron(app, job string) error {
	var run paas.CronRun
	if err := s.send("POST", appPath(app, "cron", job, "run"), nil, &run); err != nil {
		return err
	}
	ctx := s.cmd.Context()
	for run.Outcome == paas.CronRunning {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no longer watching: the run goes on. `kurama cron %s runs` shows what comes of it", app)
		case <-time.After(cronPoll):
		}
		view, err := s.cron(app)
		if err != nil {
			return err
		}
		for _, r := range view.Runs {
			if r.ID == run.ID {
				run = r
			}
		}
	}
	if err := s.print(run, func() {
		if run.Said != "" {
			_, _ = fmt.Fprintln(s.out, run.Said)
		}
	}); err != nil {
		return err
	}
	if run.Outcome == paas.CronOK {
		s.done("%s of %s is done", job, app)
		return nil
	}
	s.say("kurama: the run of %s is over: %s", job, outcomeOf(run))
	if run.Exit != nil && *run.Exit != 0 {
		return exitError{*run.Exit}
	}
	return exitError{1}
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kurama/logship/record"
	"kurama/sdk/reqsim"
)

// records sends synthetic records to the agent.
func (f *reqsimFlags) records(cmd *cobra.Command) error {
	socket := f.socket
	if socket == "" {
		s := &settings{}
		s.path, _ = cmd.Flags().GetString("config") // a flag of the root; without it the defaults hold
		s.data, _ = cmd.Flags().GetString("data")
		_, folders, err := s.load()
		if err != nil {
			return err
		}
		socket = filepath.Join(folders.Run, "agent.sock")
	}
	plan, err := f.streamPlan(cmd, socket)
	if err != nil {
		return err
	}
	if err := reachable(cmd.Context(), socket); err != nil {
		return err
	}
	live := newLiveLine(cmd.ErrOrStderr(), f.json)
	report, err := reqsim.Stream(cmd.Context(), plan, func(sent int) { live.show(fmt.Sprintf("%d/%d records", sent, f.stream)) })
	live.clear()
	if report.Records > 0 {
		if printErr := f.print(cmd, report.Text(), report.JSON); printErr != nil {
			return printErr
		}
	}
	if errors.Is(err, context.Canceled) {
		return exitError{130}
	}
	return err
}

// streamPlan makes the plan of the flags.
func (f *reqsimFlags) streamPlan(cmd *cobra.Command, socket string) (reqsim.StreamPlan, error) {
	plan := reqsim.StreamPlan{Socket: socket, Records: f.stream, Tenant: f.tenant, App: f.app, Shape: reqsim.Shape(f.shape), Duration: f.duration, Period: f.period,
		Form: reqsim.RecordForm{Message: f.message, Fields: map[string]string{}}}
	if cmd.Flags().Changed("rate") {
		plan.Rate = f.rate
	}
	plan.Peak = cmp.Or(f.peak, 5*cmp.Or(plan.Rate, reqsim.DefaultStreamRate))
	for _, name := range f.kinds {
		kind, err := record.ParseKind(name)
		if err != nil {
			return plan, err
		}
		plan.Form.Kinds = append(plan.Form.Kinds, kind)
	}
	if cmd.Flags().Changed("errors") {
		share := f.errors / 100
		plan.Form.Errors = &share
	}
	for _, text := range f.fields {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return plan, fmt.Errorf("the field %q is not of the form NAME=VALUE", text)
		}
		plan.Form.Fields[name] = value
	}
	return plan, nil
}

// reachable fails where there is no such socket, which the client would wait for.
func reachable(_ context.Context, socket string) error {
	if info, err := os.Stat(socket); err != nil || info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("there is no agent's socket at %s. Is `kurama up` running? Name its folder with --data, or the socket with --socket", socket)
	}
	return nil
}

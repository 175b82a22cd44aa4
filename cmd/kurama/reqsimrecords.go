package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

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
	plan := reqsim.StreamPlan{Socket: socket, Records: f.stream, Tenant: f.tenant, App: f.app}
	if cmd.Flags().Changed("rate") {
		plan.Rate = f.rate
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

// reachable fails where there is no such socket, which the client would wait for.
func reachable(_ context.Context, socket string) error {
	if info, err := os.Stat(socket); err != nil || info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("there is no agent's socket at %s. Is `kurama up` running? Name its folder with --data, or the socket with --socket", socket)
	}
	return nil
}

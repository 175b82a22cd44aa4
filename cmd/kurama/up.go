package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/internal/host"
	"kurama/internal/postgres"
	"kurama/internal/role"
	"kurama/paas/auth"
)

func upCommand(s *settings) *cobra.Command {
	p := &platform{settings: s}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run the whole platform on this machine, in the foreground",
		Example: `  kurama up                       state in ./data
  kurama up --data /srv/kurama --no-demo
  kurama up --leave-apps          apps go on when the platform stops`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.out = cmd.OutOrStdout()
			return p.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&p.noDemo, "no-demo", false, "do not deploy the demo app on the first start")
	cmd.Flags().BoolVar(&p.leaveApps, "leave-apps", false, "let the apps' containers run on when the platform stops")
	return cmd
}

// platform is one run of `kurama up`.
type platform struct {
	*settings
	noDemo, leaveApps bool

	cfg     config.Config
	folders config.Folders
	out     io.Writer
	log     *slog.Logger
	ports   ports
	roles   *role.Group
	first   bool // nothing was here before this start
	stops   []func()
}

// run brings the platform up, waits for ctx to end and stops it in reverse order.
func (p *platform) run(ctx context.Context) error {
	var err error
	if p.cfg, p.folders, err = p.load(); err != nil {
		return err
	}
	p.log = logger(p.cfg, "up")
	defer p.stop()
	begun := time.Now()
	if err := p.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while starting: what had started is stopped
		}
		return err
	}
	p.announce(time.Since(begun))
	if p.wantsDemo() {
		p.demo(ctx)
	}
	<-ctx.Done()
	fmt.Fprintln(p.out, "stopping")
	return nil
}

// start is everything up to "ready", one line a step.
func (p *platform) start(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"", p.claim},
		{"", p.bind},
		{"machine", p.examine},
		{"database", p.database},
		{"accounts", p.accounts},
		{"", p.appDatabases},
		{"base image", p.baseImage},
		{"roles", p.startRoles},
	} {
		begun := time.Now()
		if err := step.do(ctx); err != nil {
			return err
		}
		if step.name != "" {
			fmt.Fprintf(p.out, "✓ %-11s %s\n", step.name, spoken(time.Since(begun)))
		}
	}
	return nil
}

func (p *platform) onStop(f func()) { p.stops = append(p.stops, f) }

func (p *platform) stop() {
	for i := len(p.stops) - 1; i >= 0; i-- {
		p.stops[i]()
	}
}

// claim makes the folders and takes the data folder for this process alone.
func (p *platform) claim(context.Context) error {
	if _, err := os.Stat(p.folders.Sub("instance.id")); errors.Is(err, os.ErrNotExist) {
		p.first = true
	}
	if err := p.folders.Make(); err != nil {
		return diskSentence(err)
	}
	lock, err := os.OpenFile(p.folders.Sub("kurama.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("the data folder %s cannot be used: %w", p.folders.Data, err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another Kurama is running on %s. Stop it, or give this one a folder of its own with --data", p.folders.Data)
	}
	p.onStop(func() { _ = lock.Close() })
	_, err = p.folders.Instance()
	_, err2 := p.folders.StreamToken()
	return diskSentence(errors.Join(err, err2))
}

// bind takes the ports before anything is started.
func (p *platform) bind(context.Context) error {
	var err error
	p.ports, err = bindPorts(p.cfg)
	p.onStop(p.ports.close)
	return err
}

// examine checks the machine without changing it.
func (p *platform) examine(ctx context.Context) error {
	if err := host.CheckDisk(p.folders.Data); err != nil {
		return fmt.Errorf("%w. Free some, or move the data folder with --data", err)
	}
	for _, n := range host.Needs(p.cfg.Database.Bin, false) {
		if n.Name == "PostgreSQL" && p.cfg.Database.URL != "" || n.Name == "mmdebstrap" || n.Name == "iptables" || n.Name == "git" {
			continue // said where they are needed
		}
		if err := n.Check(ctx); err != nil {
			return fmt.Errorf("%s: %w. %s `kurama setup` does it on Debian", n.Name, err, n.Manual)
		}
	}
	return nil
}

// database starts the private Postgres where none is configured, and brings
// the schema up to date.
func (p *platform) database(ctx context.Context) error {
	if p.cfg.Database.URL == "" {
		if err := p.privateDatabase(ctx); err != nil {
			return err
		}
	}
	dsn, err := postgres.DSN(p.cfg.Database, p.folders.Run)
	if err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, dsn); err != nil {
		return fmt.Errorf("%w. Check database.url in kuramaconfig.yaml", err)
	}
	return nil
}

func (p *platform) privateDatabase(ctx context.Context) error {
	server, err := postgres.NewServer(ctx, p.cfg.Database, p.folders.Data, p.folders.Socket("postgres"), p.log)
	if err != nil {
		return err
	}
	stop, err := runServer(ctx, server)
	if err == nil {
		p.onStop(stop)
	}
	return err
}

// announce prints what a person needs to go on.
func (p *platform) announce(took time.Duration) {
	fmt.Fprintf(p.out, "\n  console    %s\n  dashboard  %s\n  apps       http://<app>.%s:%s\n", p.ports.consoleURL, p.ports.dashboardURL,
		p.cfg.Domain, p.ports.routerPort)
	switch name, password, err := auth.ReadAdmin(p.folders.Data); {
	case err == nil && p.first:
		fmt.Fprintf(p.out, "  sign in    %s / %s   (kept in %s)\n", name, password, p.folders.Sub("admin.password"))
	case err == nil:
		fmt.Fprintf(p.out, "  sign in    %s, with the password in %s\n", name, p.folders.Sub("admin.password"))
	default:
		fmt.Fprintf(p.out, "  sign in    with a name and password that you have made\n")
	}
	fmt.Fprintf(p.out, "\nkurama is ready\n")
	p.log.Debug("ready", "after", took)
}

// diskSentence says what to do about a full disk.
func diskSentence(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is full: %w. Free some space, or move the data folder with --data", err)
	}
	return err
}

// spoken is a duration as a person would say it.
func spoken(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}

// program is the path of this executable, for the roles that it starts.
func program() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program's own file: %w", err)
	}
	return filepath.EvalSymlinks(path)
}

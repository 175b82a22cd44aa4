package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/paas/api"
)

type databaseDocument struct {
	Database *api.DatabaseView `json:"database"`
}

type databaseAddress struct {
	URL string `json:"url"`
}

func databaseCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "database APP", Short: "Give an app a Postgres database, look at it, open psql in it",
		Long: `Shows the Postgres database of an app. The app finds its address in DATABASE_URL; no other app can open it.
kurama.yaml can ask for one, too: "database: true".`,
		Example: `  kurama database create shop
  kurama database shop
  kurama database psql shop -- -c 'SELECT count(*) FROM orders'
  kurama database tunnel shop --listen 127.0.0.1:5433      for other tools, such as pg_dump
  kurama database rotate shop
  kurama database delete shop`, Args: cobra.ExactArgs(1)}
	cmd.AddCommand(createDatabaseCommand(), resizeDatabaseCommand(), deleteDatabaseCommand(), psqlCommand(), tunnelCommand(),
		asks(&cobra.Command{Use: "url APP", Short: "Print the address, with its password", Args: cobra.ExactArgs(1)}, func(s *session, args []string) error {
			address, err := s.databaseURL(args[0])
			if err != nil {
				return err
			}
			return s.print(databaseAddress{address.String()}, func() { _, _ = fmt.Fprintln(s.out, address) })
		}),
		asks(&cobra.Command{Use: "rotate APP", Short: "Change the password; the replicas restart one by one", Args: cobra.ExactArgs(1)}, func(s *session, args []string) error {
			if err := s.send("POST", appPath(args[0], "database", "rotate"), nil, nil); err != nil {
				return err
			}
			s.done("the database of %s has another password; the replicas restart with it, and the former one works for ten minutes", args[0])
			return nil
		}))
	return asks(cmd, func(s *session, args []string) error { return s.showDatabase(args[0]) })
}

func createDatabaseCommand() *cobra.Command {
	var sizeText string
	cmd := &cobra.Command{Use: "create APP", Short: "Make a database; the replicas restart with DATABASE_URL", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&sizeText, "size", "", "what it may hold (default: databases.size of the installation)")
	return asks(cmd, func(s *session, args []string) error {
		body := map[string]any{}
		if sizeText != "" {
			size, err := config.ParseBytes(sizeText)
			if err != nil {
				return fmt.Errorf("--size: %w", err)
			}
			body["size"] = int64(size)
		}
		began := time.Now()
		if err := s.send("POST", appPath(args[0], "database"), body, nil); err != nil {
			return err
		}
		s.done("%s has a Postgres database, and the replicas restart with its address in DATABASE_URL  %s", args[0], spoken(time.Since(began)))
		return s.showDatabase(args[0])
	})
}

func resizeDatabaseCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "resize APP SIZE", Short: "Set what a database may hold", Args: cobra.ExactArgs(2)}, func(s *session, args []string) error {
		size, err := config.ParseBytes(args[1])
		if err != nil {
			return err
		}
		if err := s.send("PUT", appPath(args[0], "database"), map[string]any{"size": int64(size)}, nil); err != nil {
			return err
		}
		return s.showDatabase(args[0])
	})
}

func deleteDatabaseCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{Use: "delete APP", Short: "Delete a database with all that it holds", Args: cobra.ExactArgs(1)}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return asks(cmd, func(s *session, args []string) error {
		if err := s.confirm(yes, fmt.Sprintf("This deletes all that the database of %s holds.", args[0]), args[0]); err != nil {
			return err
		}
		if err := s.send("DELETE", appPath(args[0], "database"), nil, nil); err != nil {
			return err
		}
		s.done("the database of %s is deleted; the replicas restart without it", args[0])
		return nil
	})
}

func (s *session) showDatabase(app string) error {
	var doc databaseDocument
	if err := s.get(appPath(app, "database"), nil, &doc); err != nil {
		return err
	}
	return s.print(doc, func() {
		d := doc.Database
		if d == nil {
			s.say("%s has no database. `kurama database create %s` makes one.", app, app)
			return
		}
		used := "not measured yet"
		if d.Used != nil {
			used = size(*d.Used) + " used"
		}
		_, _ = fmt.Fprintf(s.out, "%s  %s of %s, made %s\n", d.Name, used, config.Bytes(d.Size), ago(d.CreatedAt))
		if d.Says != "" {
			s.say("%s", d.Says)
		}
	})
}

// databaseURL returns the address as the app has it, with its password.
func (s *session) databaseURL(app string) (*url.URL, error) {
	var doc databaseAddress
	if err := s.get(appPath(app, "database", "url"), nil, &doc); err != nil {
		return nil, err
	}
	address, err := url.Parse(doc.URL)
	if err != nil {
		return nil, fmt.Errorf("the address of the database cannot be read: %w", err)
	}
	return address, nil
}

func psqlCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "psql APP [-- ARGUMENTS…]", Short: "Open psql in the database of an app",
		Long: "Runs the psql of this machine in the database of an app, through the platform's API.", Args: cobra.MinimumNArgs(1)}, func(s *session, args []string) error {
		program, err := exec.LookPath("psql")
		if err != nil {
			return fmt.Errorf("psql is not on this machine. Install it (on Debian: apt-get install postgresql-client), or use another program with `kurama database tunnel %s`", args[0])
		}
		address, err := s.databaseURL(args[0])
		if err != nil {
			return err
		}
		dir, err := os.MkdirTemp("", "kurama-psql-") // nobody else may enter it
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		stop, err := s.tunnel(context.WithoutCancel(s.cmd.Context()), args[0], "unix", filepath.Join(dir, ".s.PGSQL.5432"))
		if err != nil {
			return err
		}
		defer stop()
		password, _ := address.User.Password()
		cmd := exec.Command(program, args[1:]...) // Ctrl-C is psql's to handle
		cmd.Stdin, cmd.Stdout, cmd.Stderr = s.cmd.InOrStdin(), s.out, s.err
		cmd.Env = append(os.Environ(), "PGHOST="+dir, "PGPORT=5432", "PGUSER="+address.User.Username(), "PGPASSWORD="+password,
			"PGDATABASE="+strings.TrimPrefix(address.Path, "/"))
		if err := cmd.Run(); err != nil {
			if code := cmd.ProcessState.ExitCode(); code > 0 {
				return exitError{code} // it has said why
			}
			return fmt.Errorf("psql: %w", err)
		}
		return nil
	})
}

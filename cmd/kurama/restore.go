package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/backup"
	"kurama/internal/postgres"
)

func restoreCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Make an installation of what `kurama backup` wrote, in an empty folder",
		Long: `Unpacks a backup into the data folder, which has to be empty, and fills the database. A backup of an older version is brought up to date.
The installation that the backup was made of must not run on the same machine: both would take the same containers for theirs.`,
		Example: "  kurama restore /backups/kurama-2026-11-20.tar.zst --data /var/lib/kurama\n  ssh vault 'cat kurama.tar.zst' | kurama restore -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, folders, err := s.load()
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("opening the backup: %w", err)
				}
				defer func() { _ = f.Close() }()
				in = f
			}
			begun := time.Now()
			m, stats, err := (&backing{cfg: cfg, folders: folders}).restore(cmd.Context(), in)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "✓ the installation %s as of %s: %d files, %s, in %s\n  start it with: kurama up --data %s\n", m.Instance,
				m.CreatedAt.Local().Format("2006-01-02 15:04:05"), stats.Files, size(stats.Bytes), spoken(time.Since(begun)), folders.Data)
			return nil
		},
	}
}

// restore unpacks a backup and fills the database. What it has written stays
// when it fails: the folder is not empty any more then, so that nobody takes a
// half for a whole.
func (b *backing) restore(ctx context.Context, in io.Reader) (m backup.Manifest, stats backup.Stats, err error) {
	if err := b.empty(); err != nil {
		return m, stats, err
	}
	dir, err := os.MkdirTemp("", "kurama-restore-")
	if err != nil {
		return m, stats, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	dump := filepath.Join(dir, backup.DatabaseName)
	if m, stats, err = backup.Read(in, b.folders.Data, dump); err != nil {
		return m, stats, diskSentence(err)
	}
	if err := b.folders.Make(); err != nil {
		return m, stats, diskSentence(err)
	}
	dsn, stop, err := b.database(ctx, false)
	if err != nil {
		return m, stats, err
	}
	defer stop()
	if err := postgres.Restore(ctx, b.cfg.Database, dsn, dump); err != nil {
		return m, stats, err
	}
	return m, stats, b.restoreDatabases(ctx, dsn)
}

// empty makes the data folder, and refuses one that holds something.
func (b *backing) empty() error {
	entries, err := os.ReadDir(b.folders.Data)
	if errors.Is(err, os.ErrNotExist) {
		return os.MkdirAll(b.folders.Data, 0o755)
	}
	if err != nil {
		return fmt.Errorf("reading the data folder: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it holds %s): a backup is restored into an empty folder. Name another with --data, or move what is there", b.folders.Data, entries[0].Name())
	}
	return nil
}

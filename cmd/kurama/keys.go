package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/paas/store"
)

// openKeys reads the keys that settings are encrypted with, and encrypts what
// is stored in the clear or under an older one.
func (w *wiring) openKeys(ctx context.Context, pool *pgxpool.Pool) error {
	var err error
	if w.keys, err = readKeys(w.folders); err != nil {
		return err
	}
	changed, err := store.New(pool).Sealing(w.keys).Reseal(ctx)
	if changed > 0 {
		w.log.Info("settings of apps were encrypted with the newest key", "settings", changed)
	}
	return err
}

// readKeys reads the key file, made where there is none.
func readKeys(folders config.Folders) (store.Keys, error) {
	text, err := folders.SecretKeys(store.NewKey)
	if err != nil {
		return store.Keys{}, err
	}
	keys, err := store.ParseKeys(text)
	if err != nil {
		return keys, fmt.Errorf("%s: %w", folders.Sub(config.SecretKeysFile), err)
	}
	return keys, nil
}

func rotateKeyCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate-key",
		Short: "Make a new key for the settings of apps",
		Long: `Makes a new key and puts it before the others in DATA/secrets.key. When Kurama starts the next time, all settings are
encrypted with it. The older keys stay in the file for what has not been encrypted anew.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, folders, err := s.load()
			if err != nil {
				return err
			}
			if err := rotateKey(folders); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "A new key is in place. Restart Kurama to encrypt all settings with it.")
			return nil
		},
	}
}

// rotateKey puts a new key before those that there are.
func rotateKey(folders config.Folders) error {
	old, err := folders.SecretKeys(store.NewKey)
	if err != nil {
		return err
	}
	path := folders.Sub(config.SecretKeysFile)
	f, err := os.CreateTemp(filepath.Dir(path), config.SecretKeysFile+".*") // 0600
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(store.NewKey() + "\n" + old + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

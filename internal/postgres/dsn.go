package postgres

import (
	"path/filepath"

	"kurama/internal/config"
)

// DSN returns the address of the database that cfg names, or of the private
// cluster whose socket lies in runDir/postgres.
func DSN(cfg config.Database, runDir string) (string, error) {
	if cfg.URL != "" {
		return cfg.URL.Reveal(), nil
	}
	acc, err := findAccount()
	if err != nil {
		return "", err
	}
	return SocketDSN(filepath.Join(runDir, "postgres"), acc.name, "postgres"), nil
}

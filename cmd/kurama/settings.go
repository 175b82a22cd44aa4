package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"kurama/internal/config"
)

const defaultConfig = "kuramaconfig.yaml"

// settings are the flags that every command of the platform takes.
type settings struct {
	path string // --config
	data string // --data
}

// configError is a mistake in the configuration: exit status 2.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

// load reads the configuration and resolves the folders.
func (s *settings) load() (config.Config, config.Folders, error) {
	path := s.path
	if path == "" {
		if _, err := os.Stat(defaultConfig); err == nil {
			path = defaultConfig
		}
	}
	cfg, err := config.Load(path, os.Environ())
	if errors.Is(err, fs.ErrNotExist) {
		return cfg, config.Folders{}, configError{fmt.Errorf("%w. Name another with --config, or leave it out for the defaults", err)}
	}
	if err != nil {
		return cfg, config.Folders{}, configError{err}
	}
	if s.data != "" {
		cfg.Data = s.data
	}
	folders, err := cfg.Folders()
	return cfg, folders, err
}

// args are the flags that give a child process the same configuration.
func (s *settings) args(role string) []string {
	args := []string{role}
	if s.path != "" {
		args = append(args, "--config", s.path)
	}
	if s.data != "" {
		args = append(args, "--data", s.data)
	}
	return args
}

// logger writes to stderr at the configured level.
func logger(cfg config.Config, role string) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // the configuration allows known levels only
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})).With("role", role)
}

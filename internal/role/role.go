// Package role lists the roles of Kurama and supervises them: each as a
// process of its own that may crash, be killed or be replaced while its port
// stays open and the others go on.
package role

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// Names lists the roles in the order in which they start.
var Names = []string{"stream", "logship", "router", "persist", "archive", "profile", "alert", "paas", "dashboard", "autoscaler"}

// listenEnv tells a role's process which file descriptor is its first listener;
// the others follow, as with systemd's LISTEN_FDS.
const listenEnv = "KURAMA_LISTEN_FD"

// Listener returns the n-th listener, from 0, that the supervisor handed down,
// or listens on addr where this process was started by itself.
func Listener(n int, addr string) (net.Listener, error) {
	text := os.Getenv(listenEnv)
	if text == "" {
		return Listen(addr)
	}
	fd, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%s=%q is not a file descriptor: %w", listenEnv, text, err)
	}
	file := os.NewFile(uintptr(fd+n), "listener")
	defer func() { _ = file.Close() }()
	ln, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("taking over the listener: %w", err)
	}
	return ln, nil
}

// Listen binds addr, with a sentence where that is not possible.
func Listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("the address %s cannot be used: %w", addr, err)
	}
	return ln, nil
}

// SocketListener listens on the Unix socket at path with mode 0600, replacing
// one that a killed process left behind.
func SocketListener(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("removing the old socket %s: %w", path, err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("protecting %s: %w", path, err)
	}
	return ln, nil
}

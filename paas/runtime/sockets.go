package runtime

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"kurama/paas"
)

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = "0A"

// ListeningSockets returns the addresses on which a replica's processes accept
// TCP connections, read from outside the container.
func (e *Engine) ListeningSockets(ctx context.Context, replica string) ([]paas.Socket, error) {
	c, err := e.Inspect(ctx, replica)
	if err != nil || c.PID == 0 {
		return nil, err
	}
	var found []paas.Socket
	for _, file := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", c.PID, file))
		if err != nil {
			return nil, fmt.Errorf("sockets of replica %s: %w", replica, err)
		}
		found = append(found, parseListening(string(text))...)
	}
	// The engine's name server inside the container is not the app's.
	return slices.DeleteFunc(found, func(s paas.Socket) bool { return s.IP == "127.0.0.11" }), nil
}

// parseListening reads the listening sockets out of /proc/net/tcp or tcp6.
func parseListening(text string) []paas.Socket {
	var found []paas.Socket
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != tcpListen {
			continue
		}
		ip, port, ok := strings.Cut(f[1], ":")
		raw, err := hex.DecodeString(ip)
		n, err2 := strconv.ParseUint(port, 16, 16)
		if !ok || err != nil || err2 != nil || len(raw)%4 != 0 {
			continue
		}
		for word := range slices.Chunk(raw, 4) { // each 32-bit word is in the host's order
			slices.Reverse(word)
		}
		if a, ok := netip.AddrFromSlice(raw); ok {
			found = append(found, paas.Socket{IP: a.Unmap().String(), Port: int(n)})
		}
	}
	return found
}

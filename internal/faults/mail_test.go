package faults

import (
	"bufio"
	"net/textproto"
	"strings"

	"kurama/internal/smtptest"
)

// counts returns how many messages were accepted, and how many of them again.
func counts(server *smtptest.Server) (messages, again int) {
	seen := map[string]bool{}
	for _, m := range server.All() {
		header, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(m.Message))).ReadMIMEHeader()
		id := header.Get("Message-ID")
		if seen[id] {
			again++
		}
		seen[id] = true
	}
	return len(seen), again
}

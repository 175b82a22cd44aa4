package e2e

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"kurama/internal/smtptest"
)

// awaitMail returns the first message, with its envelope, that matches pattern.
func awaitMail(t *testing.T, server *smtptest.Server, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found string
	eventually(t, 30*time.Second, func() error {
		all := server.All()
		for _, m := range all {
			if text := m.Envelope + m.Message; re.MatchString(text) {
				found = text
				return nil
			}
		}
		return fmt.Errorf("no mail matches %s among %d", pattern, len(all))
	})
	return found
}

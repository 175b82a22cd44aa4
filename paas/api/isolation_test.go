package api_test

import (
	"fmt"
	"strings"
	"testing"

	"kurama/paas"
)

func TestIsolation(t *testing.T) {
	w := newWorld(t)
	const path = "/api/v1/apps/default-app/isolation"
	card := read[paas.Isolation](t, w.send("developer", "GET", path, nil), 200)
	if !card.OK || card.Replica != "default-app-1-abcdef" || len(card.Checks) != 1 {
		t.Errorf("got %+v", card)
	}
	want(t, w.send("viewer", "GET", path, nil), 403) // it makes the host work
	w.fakes.fail = fmt.Errorf("app default-app is being measured already: %w", paas.ErrConflict)
	if body := want(t, w.send("developer", "GET", path, nil), 409); !strings.Contains(body, "App default-app is being measured already.") {
		t.Errorf("got %s", body)
	}
}

package auth

import (
	"regexp"
	"testing"
)

func TestReadablePassword(t *testing.T) {
	form := regexp.MustCompile(`^([a-z]{4}-){4}[a-z]{4}$`)
	if a, b := readablePassword(), readablePassword(); a == b || !form.MatchString(a) {
		t.Errorf("got %s and %s", a, b)
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(nobody)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		again, err := parsePHC(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q: %v, %v", s, again, err)
		}
	})
}

package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"kurama/paas"
)

// Cost of one password: 19 MiB and two passes, the smallest that OWASP advises
// for argon2id, because a sign-in shares its machine with the apps.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	saltBytes    = 16
	keyBytes     = 32
)

// Bounds of a password in bytes. The upper one keeps a megabyte of "password"
// from costing anything.
const (
	minPassword = 8
	maxPassword = 512
)

// hashing bounds the passwords hashed at once, and with it their memory.
var hashing = make(chan struct{}, max(1, runtime.NumCPU()/2))

// phc is a hash in the PHC string format,
// $argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>.
type phc struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func (p phc) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		enc.EncodeToString(p.salt), enc.EncodeToString(p.key))
}

// parsePHC reads a hash. It refuses parameters that would let a row of the
// database eat the machine.
func parsePHC(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return phc{}, fmt.Errorf("the hash is not in argon2id's form")
	}
	var p phc
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return phc{}, fmt.Errorf("the hash has version %q, not %d", parts[2], argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return phc{}, fmt.Errorf("the hash has parameters %q: %w", parts[3], err)
	}
	if p.memory < 8 || p.memory > 1<<20 || p.time < 1 || p.time > 16 || p.threads < 1 || p.threads > 16 {
		return phc{}, fmt.Errorf("the hash has parameters %q out of bounds", parts[3])
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return phc{}, fmt.Errorf("the salt of the hash: %w", err)
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return phc{}, fmt.Errorf("the key of the hash: %w", err)
	}
	if len(p.salt) < 8 || len(p.salt) > 64 || len(p.key) < 16 || len(p.key) > 64 {
		return phc{}, fmt.Errorf("salt or key of the hash is out of bounds")
	}
	return p, nil
}

func (p phc) derive(ctx context.Context, password string) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key))), nil
}

// hashPassword returns password as it is stored, or *paas.Invalid.
func hashPassword(ctx context.Context, password string) (string, error) {
	if len(password) < minPassword || len(password) > maxPassword {
		return "", &paas.Invalid{Reason: fmt.Sprintf("The password has %d characters: use %d to %d.",
			len(password), minPassword, maxPassword)}
	}
	p := phc{memory: argonMemory, time: argonTime, threads: argonThreads, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	_, _ = rand.Read(p.salt)
	key, err := p.derive(ctx, password)
	p.key = key
	return p.String(), err
}

// nobody is checked for a name that does not exist, so that a wrong name takes
// as long as a wrong password.
var nobody = phc{memory: argonMemory, time: argonTime, threads: argonThreads,
	salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}.String()

// checkPassword reports whether password is the one that hash was made of.
func checkPassword(ctx context.Context, hash, password string) (bool, error) {
	if len(password) > maxPassword {
		password = "" // as costly and as wrong as any other, but bounded
	}
	p, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	key, err := p.derive(ctx, password)
	return err == nil && subtle.ConstantTimeCompare(key, p.key) == 1, err
}

// readablePassword returns one that is easy to read out and type: five groups
// of two syllables with 62 bits of chance.
func readablePassword() string {
	const consonants, vowels = "bdfghjklmnprstvz", "aeiou"
	var b strings.Builder
	for group := range 5 {
		if group > 0 {
			b.WriteByte('-')
		}
		for range 2 {
			b.WriteByte(pick(consonants))
			b.WriteByte(pick(vowels))
		}
	}
	return b.String()
}

// pick returns one of the letters, each with the same chance.
func pick(letters string) byte {
	limit := 256 - 256%len(letters)
	for {
		var b [1]byte
		_, _ = rand.Read(b[:])
		if int(b[0]) < limit {
			return letters[int(b[0])%len(letters)]
		}
	}
}

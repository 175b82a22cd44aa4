package paas

import "fmt"

// maxName is the length of the longest name of a tenant or an app.
const maxName = 40

// CheckName reports why name cannot be the name of a tenant or an app: it
// becomes part of a host name and of file names.
func CheckName(what, name string) error {
	if !isName(name) {
		return fmt.Errorf("%q cannot be the name of %s: use 1 to 40 of a-z, 0-9 and '-', starting with a letter and not ending with '-'", name, what)
	}
	return nil
}

// isName is asked for every record of a batch: a regular expression would take
// a seventh of the archive's time.
func isName(name string) bool {
	if len(name) == 0 || len(name) > maxName || name[len(name)-1] == '-' {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// Address returns where host is reached on the router: with https where the
// router has an encrypted port; 0 is none.
func Address(host string, plain, encrypted int) string {
	scheme, port, usual := "http", plain, 80
	if encrypted > 0 {
		scheme, port, usual = "https", encrypted, 443
	}
	if port == usual {
		return scheme + "://" + host
	}
	return fmt.Sprintf("%s://%s:%d", scheme, host, port)
}

// Hosts returns the host names that an app answers on under domain.
func Hosts(tenant, app, domain string) []string {
	hosts := []string{app + "." + tenant + "." + domain}
	if tenant == DefaultTenant {
		hosts = append([]string{app + "." + domain}, hosts...)
	}
	return hosts
}

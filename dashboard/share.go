package dashboard

import (
	"net/http"
	"strings"
)

// shareCookie holds the token of a share link: a websocket of a browser cannot
// carry it as a header.
const shareCookie = "kurama_share"

// share answers POST /api/share. The page behind a share link sends the link's
// token once as its bearer; from then on requests with `shared` in their query
// come with it as a cookie. A browser sends no such header for another site's
// page, so no other site can plant a token.
func (s *Server) share(w http.ResponseWriter, r *http.Request, who Identity) error {
	_, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok {
		return &problem{status: http.StatusUnprocessableEntity, detail: "Send the token of the share link as `Authorization: Bearer`."}
	}
	http.SetCookie(w, &http.Cookie{Name: shareCookie, Value: token, Path: "/api/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	return s.session(w, r, who)
}

// identify returns who sent r, behind a share link whom its token stands for.
func (s *Server) identify(r *http.Request) (Identity, error) {
	if !r.URL.Query().Has("shared") || r.Header.Get("Authorization") != "" {
		return s.auth.Identify(r)
	}
	cookie, err := r.Cookie(shareCookie)
	if err != nil {
		return Identity{}, ErrUnauthenticated
	}
	as := r.Clone(r.Context())
	as.Header.Set("Authorization", "Bearer "+cookie.Value)
	return s.auth.Identify(as)
}

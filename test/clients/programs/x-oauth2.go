// What golang.org/x/oauth2 does with Keks. It prints where a person has to go, and goes on once the person has been there.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type client struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

var (
	ctx      = context.Background()
	issuer   = os.Args[1]
	metadata struct {
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
		Device    string `json:"device_authorization_endpoint"`
	}
	given struct{ Open, App, Screen, System client }
)

func must(held bool, what string, why any) {
	if !held {
		fmt.Fprintln(os.Stderr, what, why)
		os.Exit(1)
	}
}

func config(from client, style oauth2.AuthStyle) oauth2.Config {
	return oauth2.Config{
		ClientID:     from.ID,
		ClientSecret: from.Secret,
		Scopes:       []string{"cookies:eat", "offline_access"},
		Endpoint: oauth2.Endpoint{
			AuthURL: metadata.Authorize, TokenURL: metadata.Token, DeviceAuthURL: metadata.Device, AuthStyle: style,
		},
	}
}

func eats(client *http.Client, status int) {
	answer, err := client.Get(issuer + "/cookies")
	must(err == nil, "no answer", err)
	defer answer.Body.Close()
	must(answer.StatusCode == status, "another status than expected:", answer.StatusCode)
}

func refused(err error, code string) {
	var refusal *oauth2.RetrieveError
	must(errors.As(err, &refusal) && refusal.ErrorCode == code, "not refused with "+code, err)
}

// The library notices by itself that a token is over, and refreshes it.
func refreshed(app oauth2.Config, token *oauth2.Token) *oauth2.Token {
	over := *token
	over.Expiry = time.Now().Add(-time.Minute)
	next, err := app.TokenSource(ctx, &over).Token()
	must(err == nil, "not refreshed", err)
	must(next.AccessToken != token.AccessToken && next.RefreshToken != token.RefreshToken, "the same token", nil)
	return next
}

// RFC 6749 §4.1 with PKCE, RFC 8252 §7.3.
func codeFlow(from client, style oauth2.AuthStyle) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err == nil, "no port", err)
	heard := make(chan url.Values, 1)
	go http.Serve(listener, http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		heard <- request.URL.Query()
	}))
	app := config(from, style)
	app.RedirectURL = "http://" + listener.Addr().String() + "/done"
	verifier := oauth2.GenerateVerifier()
	fmt.Println("visit", app.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier)))
	answer := <-heard
	must(answer.Get("state") == "a state" && answer.Get("iss") == issuer, "not our answer:", answer)
	_, err = app.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	refused(err, "invalid_grant")
	token, err := app.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	must(err == nil, "no token", err)
	must(token.Extra("scope") == "cookies:eat" && token.Type() == "Bearer", "not what was asked for:", token)
	eats(app.Client(ctx, token), 200)
	next := refreshed(app, token)
	eats(app.Client(ctx, next), 200)
	_, err = app.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	refused(err, "invalid_grant")
	eats(app.Client(ctx, next), 401)
}

// RFC 8628: the person takes longer than the first interval.
func deviceFlow(from client) {
	screen := config(from, oauth2.AuthStyleInParams)
	codes, err := screen.DeviceAuth(ctx)
	must(err == nil, "no codes", err)
	fmt.Println("type", codes.UserCode)
	token, err := screen.DeviceAccessToken(ctx, codes)
	must(err == nil, "no token", err)
	eats(screen.Client(ctx, refreshed(screen, token)), 200)
}

// RFC 6749 §4.4.
func credentials(from client, style oauth2.AuthStyle) {
	system := clientcredentials.Config{
		ClientID: from.ID, ClientSecret: from.Secret, TokenURL: metadata.Token, AuthStyle: style,
	}
	eats(system.Client(ctx), 200)
	system.Scopes = []string{"tea:pour"}
	_, err := system.Token(ctx)
	refused(err, "invalid_scope")
	system.ClientSecret = "kcs_wrong"
	_, err = system.Token(ctx)
	refused(err, "invalid_client")
}

func main() {
	must(json.Unmarshal([]byte(os.Args[2]), &given) == nil, "no clients", os.Args[2])
	answer, err := http.Get(issuer + "/.well-known/oauth-authorization-server")
	must(err == nil, "no metadata", err)
	must(json.NewDecoder(answer.Body).Decode(&metadata) == nil, "no metadata", answer.Status)
	codeFlow(given.Open, oauth2.AuthStyleInParams)
	// it tries HTTP Basic first, with an empty secret, and must not have lost its code by that
	codeFlow(given.Open, oauth2.AuthStyleAutoDetect)
	codeFlow(given.App, oauth2.AuthStyleAutoDetect)
	codeFlow(given.App, oauth2.AuthStyleInHeader)
	codeFlow(given.App, oauth2.AuthStyleInParams)
	deviceFlow(given.Screen)
	credentials(given.System, oauth2.AuthStyleInHeader)
	credentials(given.System, oauth2.AuthStyleInParams)
}

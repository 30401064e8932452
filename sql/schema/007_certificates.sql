-- Certificates of the listeners that speak https, chosen by the name that a client asks for. A text or the path of a file on
-- the server, in PEM. The order of ids decides between two certificates for a name, and the first is for clients that
-- name none. A private key in here is as secret as the table: only its owner can read it.
create table howdah.certificates (
  id integer primary key generated always as identity,
  -- `example.org`, `*.example.org` (one label), `*`; empty: the DNS names in the certificate.
  host_names text[] not null default '{}',
  certificate text,
  certificate_file text,
  private_key text,
  private_key_file text,
  constraint certificate_or_file check (num_nonnulls(certificate, certificate_file) = 1),
  constraint private_key_or_file check (num_nonnulls(private_key, private_key_file) = 1)
);
revoke all on howdah.certificates from public;

create trigger certificates_updated
  after insert or update or delete or truncate on howdah.certificates
  for each statement execute function omni_httpd.reload_configuration_trigger();

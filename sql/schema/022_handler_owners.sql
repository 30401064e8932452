-- Whoever installs without being a superuser may have deprecated handlers run as roles that he is a member of; and a file system of
-- omni_vfs is asked for index.html without a second slash, which not every one takes for one.
\ir ../objects/regenerate_handler_trigger.sql
\ir ../objects/instantiate_static_file_handler.sql

-- One row per answer that does not fit its question's type; the raw text stays in raw.
select submission_id, concat_ws(' · ', staging_table, question, 'ligne ' || position) as detail
from staging.misfit

-- One row per submission whose answers are still encrypted here: no key opens them, or a part has not come.
select submission_id, form_id || ' · ' || json_extract_string(payload, '$.__system.status') as detail
from raw.current
where deleted_at is null
    -- To look for the word costs less than to read every payload.
    and contains(payload, '"status":"')
    and json_extract_string(payload, '$.__system.status') is not null

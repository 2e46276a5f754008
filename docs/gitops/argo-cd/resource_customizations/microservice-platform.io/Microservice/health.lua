local health = { status = "Progressing", message = "Waiting for the operator" }

if obj.metadata.deletionTimestamp ~= nil then
  health.message = "Being deleted"
  return health
end

-- A status that speaks about an earlier spec says nothing about this one.
if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end

local ready = nil
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Stalled" and condition.status == "True" then
    health.status = "Degraded"
    health.message = condition.message
    return health
  end
  if condition.type == "Ready" then
    ready = condition
  end
end

if ready ~= nil then
  health.message = ready.message
  if ready.status == "True" then
    if obj.spec ~= nil and obj.spec.suspend == true then
      health.status = "Suspended"
    else
      health.status = "Healthy"
    end
  end
end

return health

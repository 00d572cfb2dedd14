-- Drives `:Plugins` of examples/neovim as a user does: the answers to vim.ui.select come from here.

local binary = os.getenv('PLUGD_BINARY')
vim.opt.runtimepath:append(os.getenv('EXAMPLE'))
vim.cmd('runtime plugin/plugd.lua')

local function say(step, fine, why)
  io.stdout:write('step ' .. step .. (fine and ' ok' or ' failed: ' .. vim.inspect(why)) .. '\n')
  io.stdout:flush()
  if not fine then os.exit(1) end
end

local notes = {}
vim.notify = function(text) table.insert(notes, text) end
local wanted, offered
vim.ui.select = function(items, spec, done)
  local texts = vim.tbl_map(spec.format_item, items)
  table.insert(offered, texts)
  for index, text in ipairs(texts) do
    if text:find(wanted[1], 1, true) then
      table.remove(wanted, 1)
      return done(items[index], index)
    end
  end
  done(nil)
end

local function told(text)
  return function()
    for _, note in ipairs(notes) do
      if note:find(text, 1, true) then return true end
    end
  end
end

local function pick(choices, until_then)
  wanted, offered = choices, {}
  vim.cmd('Plugins')
  return vim.wait(20000, until_then, 5)
end

-- No program, and one that ends instead of answering: both are told, and the next request tries
-- again.
local plugd = require('plugd')
plugd.setup({ cmd = { '/nowhere/plugd', 'app-server' } })
plugd.list(function() end)
say('missing', vim.wait(20000, told('cannot start /nowhere/plugd'), 5), notes)
plugd.setup({ cmd = { 'sh', '-c', 'read line' } })
plugd.list(function() end)
say('dead', vim.wait(20000, told('the daemon has ended'), 5), notes)

-- Several requests before the handshake are for one daemon.
plugd.setup({ cmd = { binary, 'app-server' } })
local starts, answers = 0, 0
local start = vim.lsp.rpc.start
vim.lsp.rpc.start = function(...)
  starts = starts + 1
  return start(...)
end
for _ = 1, 3 do
  plugd.list(function() answers = answers + 1 end)
end
say('one', vim.wait(20000, function() return answers == 3 end, 5) and starts == 1, { starts, answers })

local read = pick({ 'hello@demo', 'Read' }, function() return vim.bo.filetype == 'markdown' end)
say('list', offered[1] and vim.tbl_contains(offered[1], '○ hello@demo'), { offered, notes })
local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
say('read', read and text:find('# hello@demo\n\nSays hello', 1, true), text)

local changed = false
vim.api.nvim_create_autocmd('User', { pattern = 'PlugdChanged', callback = function() changed = true end })
say('install', pick({ 'hello@demo', 'Install' }, told('hello@demo: installed')), { offered, notes })
say('progress', told('hello@demo: activating')(), notes)
say('changed', vim.wait(20000, function() return changed end, 5), notes)
say('uninstall', pick({ '● hello@demo', 'Uninstall' }, told('hello@demo: uninstalled')), { offered, notes })

-- A refusal is shown and breaks nothing.
require('plugd').request('plugin/uninstall', { pluginId = 'no id' }, function() end)
say('refusal', vim.wait(20000, told('no id'), 5), notes)
os.exit(0)
